/**
 * What travels on a turn's own MessagePort. The terminal event is the last one on the same port, exactly once, because a
 * settled Piscina task says nothing about messages still under way.
 */
import type { TurnErrorData } from "./errors.js";
import type { JsonObject } from "./json.js";
import type { TokenUsage, TurnAssignment } from "./turn.js";

/** How a turn ended. */
export type TurnOutcome =
  | {
      readonly status: "completed";
      /** Its native thread cannot be continued. Default: false. */
      readonly isThreadLost?: true;
    }
  /** The model stopped early; `reason` is the Responses API's (`max_output_tokens`, `content_filter`). */
  | { readonly status: "incomplete"; readonly reason: string }
  /**
   * The model called functions, and Codex, which cannot ask for all their outputs, was interrupted before it answered in their place.
   * The caller continues by replay: the native thread holds outputs that are not the functions'.
   */
  | {
      readonly status: "handed_over";
      /** Of this answer's calls, in the model's order. */
      readonly callIds: readonly string[];
      /** Whether Codex may have asked the model again before it was stopped. What that was answered is dropped. */
      readonly mayHaveAskedAgain: boolean;
    }
  /** Ended by the caller's cancel. */
  | { readonly status: "cancelled" }
  | { readonly status: "failed"; readonly error: TurnErrorData };

/** Kinds of output item announced before they are complete. */
export type OutputItemType = "message" | "reasoning" | "function_call" | "web_search_call";

/** Events of a turn, in order. */
export type TurnEvent =
  /** Codex started the turn. No output of the model comes before this. */
  | {
      readonly type: "turn.started";
      readonly threadId: string;
      readonly turnId: string;
      readonly model: string;
      /** The native thread that it runs on, and how long that had been there, in milliseconds. */
      readonly thread?: { readonly kind: "fresh" | "spare" | "continued"; readonly readyMs: number };
    }
  | {
      readonly type: "item.started";
      readonly itemId: string;
      readonly itemType: OutputItemType;
      /** Of a message, if the model marks its messages: `commentary` or `final_answer`. */
      readonly phase?: string;
      /** The mark of this message, if it has one, comes with the complete item only. Default: false. */
      readonly phaseFollows?: true;
    }
  | { readonly type: "text.delta"; readonly itemId: string; readonly delta: string }
  | { readonly type: "reasoning_summary.part"; readonly itemId: string; readonly summaryIndex: number }
  | {
      readonly type: "reasoning_summary.delta";
      readonly itemId: string;
      readonly summaryIndex: number;
      readonly delta: string;
    }
  | {
      readonly type: "reasoning_text.delta";
      readonly itemId: string;
      readonly contentIndex: number;
      readonly delta: string;
    }
  /** The model's own item, complete: ids, call ids and encrypted reasoning are the model's. */
  | { readonly type: "item.completed"; readonly item: JsonObject }
  /**
   * Codex calls the model again after a broken call: this item, the last that was announced, maybe shown in part, will not be completed.
   * The model makes it again under another id.
   */
  | { readonly type: "item.discarded"; readonly itemId: string }
  /** One call of the model is done; a turn with tools makes several. */
  | { readonly type: "model_call.completed"; readonly usage: TokenUsage | null }
  /**
   * The model called functions of the caller's and waits for their outputs: the last event until they are given. The native
   * turn stays open.
   */
  | { readonly type: "turn.parked"; readonly callIds: readonly string[] }
  /** The last event. */
  | { readonly type: "turn.ended"; readonly outcome: TurnOutcome };

/** Worker to supervisor. */
export type TurnPortOutput = { readonly type: "events"; readonly events: readonly TurnEvent[] };

/** Worker to supervisor, beside the events. */
export type TurnPortNotice =
  /** Codex leaves a call that starts the turn unanswered while it answers others. */
  | { readonly type: "start_overdue" }
  /** The backend refused the turn a WebSocket connection, as it does when there are too many. Codex continues without. */
  | { readonly type: "connection_refused" };

/** A part of a function's output. */
export type ToolOutputPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly imageUrl: string };

/** A function's output for a call that a parked turn waits on. */
export interface ToolOutput {
  readonly callId: string;
  readonly parts: readonly ToolOutputPart[];
}

/** Supervisor to worker. */
export type TurnPortInput =
  /** What to run. It waits in the port before the port is given to the worker. */
  | { readonly type: "assignment"; readonly assignment: TurnAssignment }
  /** The caller cancels: interrupt the turn at the app-server and end as `cancelled`. */
  | { readonly type: "cancel" }
  /** Outputs of the caller's functions, with which the parked turn continues. */
  | { readonly type: "tool_outputs"; readonly outputs: readonly ToolOutput[] }
  /** So many more batches of events may be sent. */
  | { readonly type: "credit"; readonly batches: number };
