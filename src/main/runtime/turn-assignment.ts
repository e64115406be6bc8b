import type { NativeThreadChoice, TurnAssignment } from "../../workers/contract/turn.js";
import type { IsolatedTurnRequest, TurnProfile, WebSearchOptions } from "./types.js";

/** A turn for a worker, all but its key. */
export type Assignment = Omit<TurnAssignment, "turnKey">;

export interface AssignmentContext {
  readonly profile: TurnProfile;
  readonly model: string;
  readonly idleTimeoutMs: number;
  readonly nativeThread: NativeThreadChoice;
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
    directiveCount: directives.length,
    nativeThread: context.nativeThread,
    followed: request.followed !== false,
    keepThread: request.keepThread === true && directives.length === 0,
    idleTimeoutMs: context.idleTimeoutMs,
  };
}

const anyWebSearch: WebSearchOptions = { contextSize: null, allowedDomains: null, location: null };

function readWebSearch(webSearch: IsolatedTurnRequest["webSearch"]): WebSearchOptions | null {
  if (webSearch === undefined || webSearch === false) return null;
  return webSearch === true ? anyWebSearch : webSearch;
}

/** The thread's settings as text that is equal where they are. */
export function settingsOf(assignment: Assignment): string {
  return JSON.stringify(assignment.thread);
}
