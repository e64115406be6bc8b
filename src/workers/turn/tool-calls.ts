import type { ToolCallAnswer, ToolCallContentItem } from "../app-server/protocol.js";
import type { JsonObject } from "../contract/json.js";
import type { FunctionTool } from "../contract/turn.js";
import type { ToolOutput, ToolOutputPart } from "../contract/turn-messages.js";
import type { ToolCallPacing } from "./tool-call-pacing.js";

/** How long a model call with calls of functions may be over before we stop waiting for Codex to ask for all of them. */
const straggleMs = 1_000;
/** How long a turn with an open call must be silent before its model call counts as over, where Codex does not say so. */
const quietMs = 150;

export interface ToolCallsOptions {
  readonly tools: readonly FunctionTool[];
  /** Asked when it matters: Codex's version is known once the connection is ready. */
  readonly pacing: () => ToolCallPacing;
  readonly onParked: (callIds: readonly string[]) => void;
}

/**
 * The calls of the caller's functions that Codex waits on. The turn is parked once the model call is over and Codex has
 * asked for what it will ask for until it is answered; the requests and the model's items arrive in any order.
 */
export class ToolCalls {
  readonly #declared: ReadonlySet<string>;
  readonly #options: ToolCallsOptions;
  readonly #open = new Map<string, (answer: ToolCallAnswer) => void>();
  /** Call ids of the model's items of this model call, in its order. */
  readonly #expected: string[] = [];
  /** Answers to calls that Codex has yet to ask for, since it asks one by one. */
  readonly #kept = new Map<string, ToolCallAnswer>();
  /** The calls that the caller was told of and has not answered; null while the turn is not parked. */
  #parked: readonly string[] | null = null;
  #modelCallOver = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ToolCallsOptions) {
    this.#options = options;
    this.#declared = new Set(options.tools.map((tool) => tool.name));
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Codex asks for an output. Resolves when the caller gave it, or the turn was given up. */
  open(callId: string): Promise<ToolCallAnswer> {
    const kept = this.#kept.get(callId);
    if (kept !== undefined) {
      this.#kept.delete(callId);
      return Promise.resolve(kept);
    }
    return new Promise((resolve) => {
      this.#open.set(callId, resolve);
      this.#check();
    });
  }

  /** An item of the model's is complete. Calls that Codex answers by itself, as it cannot ask for them, are not waited for. */
  expect(item: JsonObject): void {
    const { type, call_id: callId, name } = item;
    if (type !== "function_call" || typeof callId !== "string" || typeof name !== "string") return;
    if (this.#declared.has(name) && isJson(item.arguments)) this.#expected.push(callId);
  }

  modelCallCompleted(): void {
    // Where Codex does not announce it, this comes after the outputs, and the next model call is already under way.
    if (this.#options.pacing() === "unannounced") return;
    this.#modelCallOver = true;
    this.#check();
  }

  /** Something of this turn's came from Codex: the model may not be done. */
  noteActivity(): void {
    if (this.#options.pacing() === "unannounced" && this.#timer !== null) this.#timer.refresh();
  }

  /** Parked calls without an output among these are answered as failed: the model must not wait for ever. */
  answer(outputs: readonly ToolOutput[]): void {
    const byCallId = new Map(outputs.map((output) => [output.callId, output]));
    const answered = this.#parked ?? [...this.#open.keys()];
    this.#reset();
    for (const callId of answered) {
      const output = byCallId.get(callId);
      const answer: ToolCallAnswer =
        output === undefined ? noOutput : { success: true, contentItems: output.parts.map(contentItem) };
      const resolve = this.#open.get(callId);
      this.#open.delete(callId);
      if (resolve === undefined) this.#kept.set(callId, answer);
      else resolve(answer);
    }
    // Asked for while the caller had the word.
    this.#check();
  }

  /** The turn is over: whoever asked gets an answer that nobody will read. */
  abandon(): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#kept.clear();
    this.#reset();
    for (const resolve of open) resolve(noOutput);
  }

  #check(): void {
    if (this.#parked !== null || this.#open.size === 0) return;
    const pacing = this.#options.pacing();
    if (pacing === "unannounced") return this.#parkAfter(quietMs);
    if (!this.#modelCallOver) return;
    if (pacing === "one_by_one" || this.#expected.every((callId) => this.#open.has(callId))) this.#park();
    else this.#parkAfter(straggleMs);
  }

  #parkAfter(delayMs: number): void {
    this.#timer ??= setTimeout(() => this.#park(), delayMs);
  }

  #park(): void {
    this.#clearTimer();
    // Of those that Codex asks for together, one that has not come by now never does.
    const together = this.#options.pacing() === "together";
    const inModelOrder = together
      ? this.#expected.filter((callId) => this.#open.has(callId))
      : [...this.#expected];
    const others = [...this.#open.keys()].filter((callId) => !this.#expected.includes(callId));
    this.#parked = [...inModelOrder, ...others];
    this.#options.onParked(this.#parked);
  }

  #reset(): void {
    this.#clearTimer();
    this.#parked = null;
    this.#expected.length = 0;
    this.#modelCallOver = false;
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

const noOutput: ToolCallAnswer = {
  success: false,
  contentItems: [{ type: "inputText", text: "The caller gave no output for this call." }],
};

/** Codex itself answers a call whose arguments it cannot read. */
function isJson(text: unknown): boolean {
  if (typeof text !== "string") return false;
  if (text.trim() === "") return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function contentItem(part: ToolOutputPart): ToolCallContentItem {
  return part.type === "text"
    ? { type: "inputText", text: part.text }
    : { type: "inputImage", imageUrl: part.imageUrl };
}
