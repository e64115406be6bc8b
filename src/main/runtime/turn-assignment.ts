import type { TurnAssignment } from "../../workers/contract/turn.js";
import type { IsolatedTurnRequest, TurnProfile } from "./types.js";

/** A turn for a worker, all but its key. */
export type Assignment = Omit<TurnAssignment, "turnKey">;

export interface AssignmentContext {
  readonly profile: TurnProfile;
  readonly model: string;
  readonly idleTimeoutMs: number;
  /** The loaded native thread that goes on; null starts one. */
  readonly continueThreadId: string | null;
}

/** Every default of a request, filled in. */
export function buildAssignment(request: IsolatedTurnRequest, context: AssignmentContext): Assignment {
  return {
    thread: {
      profile: context.profile,
      model: context.model,
      instructions: request.instructions ?? "",
      tools: request.tools ?? [],
      webSearch: request.webSearch ?? false,
      verbosity: request.verbosity ?? null,
    },
    turn: {
      effort: request.effort ?? null,
      summary: request.summary ?? null,
      serviceTier: request.serviceTier ?? null,
      outputSchema: request.outputSchema ?? null,
    },
    items: request.items,
    continueThreadId: context.continueThreadId,
    keepThread: request.keepThread ?? false,
    idleTimeoutMs: context.idleTimeoutMs,
  };
}

/** What a native thread keeps for life, as text that is equal where the settings are. */
export function settingsOf(assignment: Assignment): string {
  return JSON.stringify(assignment.thread);
}
