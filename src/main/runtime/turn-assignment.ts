import type { TurnAssignment } from "../../workers/contract/turn.js";
import type { IsolatedTurnRequest, TurnProfile, WebSearchOptions } from "./types.js";

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
  const directives = request.directives ?? [];
  return {
    thread: {
      profile: context.profile,
      model: context.model,
      instructions: request.instructions ?? "",
      tools: request.tools ?? [],
      webSearch: readWebSearch(request.webSearch),
      verbosity: request.verbosity ?? null,
    },
    turn: {
      effort: request.effort ?? null,
      summary: request.summary ?? null,
      serviceTier: request.serviceTier ?? null,
      outputSchema: request.outputSchema ?? null,
    },
    items: [...request.items, ...directives],
    continueThreadId: context.continueThreadId,
    keepThread: request.keepThread === true && directives.length === 0,
    idleTimeoutMs: context.idleTimeoutMs,
  };
}

const anyWebSearch: WebSearchOptions = { contextSize: null, allowedDomains: null, location: null };

function readWebSearch(webSearch: IsolatedTurnRequest["webSearch"]): WebSearchOptions | null {
  if (webSearch === undefined || webSearch === false) return null;
  return webSearch === true ? anyWebSearch : webSearch;
}

/** What a native thread keeps for life, as text that is equal where the settings are. */
export function settingsOf(assignment: Assignment): string {
  return JSON.stringify(assignment.thread);
}
