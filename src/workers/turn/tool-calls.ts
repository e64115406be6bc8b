import type { ToolCallAnswer, ToolCallContentItem } from "../app-server/protocol.js";
import type { JsonObject } from "../contract/json.js";
import type { FunctionTool } from "../contract/turn.js";
import type { ToolOutput, ToolOutputPart } from "../contract/turn-messages.js";

/** How long a model call with calls of functions may be over before we stop waiting for Codex to ask for all of them. */
const straggleMs = 1_000;

/**
 * The calls of the caller's functions that Codex waits on. The turn is parked once the model call is over and Codex has
 * asked for each function that the model called; the requests and the model's items arrive in any order.
 */
export class ToolCalls {
  readonly #declared: ReadonlySet<string>;
  readonly #onParked: (callIds: readonly string[]) => void;
  readonly #open = new Map<string, (answer: ToolCallAnswer) => void>();
  /** Call ids of the model's items of this model call, in its order. */
  readonly #expected: string[] = [];
  #modelCallOver = false;
  #stragglerTimer: NodeJS.Timeout | null = null;

  constructor(tools: readonly FunctionTool[], onParked: (callIds: readonly string[]) => void) {
    this.#declared = new Set(tools.map((tool) => tool.name));
    this.#onParked = onParked;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Codex asks for an output. Resolves when the caller gave it, or the turn was given up. */
  open(callId: string): Promise<ToolCallAnswer> {
    return new Promise((resolve) => {
      this.#open.set(callId, resolve);
      this.#check();
    });
  }

  /** An item of the model's is complete. Calls of functions that nobody declared are answered by Codex itself. */
  expect(item: JsonObject): void {
    const { type, call_id: callId, name } = item;
    if (type !== "function_call" || typeof callId !== "string" || typeof name !== "string") return;
    if (this.#declared.has(name)) this.#expected.push(callId);
  }

  modelCallCompleted(): void {
    this.#modelCallOver = true;
    this.#check();
  }

  /** Calls without an output among these are answered as failed: the model must not wait for ever. */
  answer(outputs: readonly ToolOutput[]): void {
    const byCallId = new Map(outputs.map((output) => [output.callId, output]));
    const open = [...this.#open];
    this.#reset();
    for (const [callId, resolve] of open) {
      const output = byCallId.get(callId);
      resolve(
        output === undefined ? noOutput : { success: true, contentItems: output.parts.map(contentItem) },
      );
    }
  }

  /** The turn is over: whoever asked gets an answer that nobody will read. */
  abandon(): void {
    const open = [...this.#open.values()];
    this.#reset();
    for (const resolve of open) resolve(noOutput);
  }

  #check(): void {
    if (!this.#modelCallOver || this.#open.size === 0) return;
    if (this.#expected.every((callId) => this.#open.has(callId))) return this.#park();
    // A call that Codex answered by itself (arguments it could not read) never comes.
    this.#stragglerTimer ??= setTimeout(() => this.#park(), straggleMs);
  }

  #park(): void {
    this.#clearTimer();
    const inModelOrder = this.#expected.filter((callId) => this.#open.has(callId));
    const others = [...this.#open.keys()].filter((callId) => !this.#expected.includes(callId));
    this.#onParked([...inModelOrder, ...others]);
  }

  #reset(): void {
    this.#clearTimer();
    this.#open.clear();
    this.#expected.length = 0;
    this.#modelCallOver = false;
  }

  #clearTimer(): void {
    if (this.#stragglerTimer !== null) clearTimeout(this.#stragglerTimer);
    this.#stragglerTimer = null;
  }
}

const noOutput: ToolCallAnswer = {
  success: false,
  contentItems: [{ type: "inputText", text: "The caller gave no output for this call." }],
};

function contentItem(part: ToolOutputPart): ToolCallContentItem {
  return part.type === "text"
    ? { type: "inputText", text: part.text }
    : { type: "inputImage", imageUrl: part.imageUrl };
}
