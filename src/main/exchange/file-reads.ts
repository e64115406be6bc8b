import { type JsonObject, parseJsonObject } from "../../workers/contract/json.js";
import { addUsage } from "../../workers/contract/turn.js";
import { waitWithin } from "../../workers/contract/wait.js";
import type { FileAccess } from "../dialects/answers/wire-types.js";
import type { DialectTurn } from "../dialects/dialect.js";
import { textMessage } from "../dialects/requests/turn-request.js";
import { CodexNativeApiError } from "../errors.js";
import { ReadableFileError, readableFileLimits, readFileBelow } from "../readable-files/readable-files.js";
import type { FunctionTool, IsolatedTurnResult, ToolOutput, TurnEvent } from "../runtime/types.js";

const readFile: FunctionTool = {
  name: "read_file",
  description:
    "Reads a text file of the user's machine and returns its text. It can read only files in folders that the user has opened for this; there is no way to write, list or run anything.",
  parameters: {
    type: "object",
    properties: { path: { type: "string", description: "The absolute path of the file." } },
    required: ["path"],
    additionalProperties: false,
  },
};

/** Calls of one request beyond those that may read; then its turn fails, for the model would never end. */
const maxRefusedCalls = 16;

/** The turn that reads files, as its exchange lets it be continued. */
export interface ReadingTurn {
  readonly signal: AbortSignal | undefined;
  /** Adds to the history of the turn. */
  remember(items: readonly JsonObject[]): void;
  /** Null where the turn is not parked any more. */
  resume(turnId: string, outputs: readonly ToolOutput[]): Promise<IsolatedTurnResult | null>;
  /** Sends the model the whole history once more, with what the turn made since. */
  replay(): Promise<IsolatedTurnResult>;
  abandon(turnId: string): void;
}

/**
 * Answers the function `read_file` of a chat bridge's turn: such a bridge tells the model to follow a file by its path. The files are
 * read in this process, below the folders of the configuration, with the checks of `readFileBelow`; Codex's own shell has no part in
 * it. The calls and their outputs go into the history, and not to the caller.
 */
export class FileReads {
  readonly #roots: readonly string[];
  readonly #reason: FileAccess["reason"];
  /** Calls that wait for their outputs, by call id. */
  readonly #calls = new Map<string, JsonObject>();
  readonly #read: { readonly path: string; readonly bytes: number }[] = [];
  readonly #refused: { readonly path: string; readonly reason: string }[] = [];
  #leftBytes: number = readableFileLimits.maxTotalBytes;
  #answered = 0;

  private constructor(roots: readonly string[], reason: FileAccess["reason"]) {
    this.#roots = roots;
    this.#reason = reason;
  }

  /** The turn with the function, if it may have it; null in place of the reads where no chat bridge asks. */
  static offer<Turn extends DialectTurn>(
    turn: Turn,
    roots: readonly string[],
  ): { readonly turn: Turn; readonly reads: FileReads | null } {
    const { bridgeTask, request } = turn;
    if (bridgeTask === null) return { turn, reads: null };
    const { tools = [], directives = [] } = request;
    const reads = new FileReads(roots, whyNot(turn, roots));
    if (!reads.access.readable) return { turn, reads };
    const { promptContext } = bridgeTask;
    const told = promptContext === null ? [] : [describeContext(promptContext)];
    return {
      turn: {
        ...turn,
        request: {
          ...request,
          tools: [...tools, readFile],
          ...((directives.length > 0 || told.length > 0) && { directives: [...told, ...directives] }),
        },
      },
      reads,
    };
  }

  get access(): FileAccess {
    const reason = this.#reason;
    return { readable: reason === null, reason, read: [...this.#read], refused: [...this.#refused] };
  }

  /** Whether the event is of a call that is answered here, so that the caller has no use for it. */
  takes(event: TurnEvent): boolean {
    if (this.#reason !== null) return false;
    // Which function is called shows only when the call is complete, and that is when callers are told.
    if (event.type === "item.started") return event.itemType === "function_call";
    if (event.type !== "item.completed" || !this.isOwnCall(event.item)) return false;
    const { call_id: callId } = event.item;
    if (typeof callId === "string") this.#calls.set(callId, event.item);
    return true;
  }

  /** Whether an item is a call that is answered here. */
  isOwnCall({ type, name, namespace }: JsonObject): boolean {
    if (this.#reason !== null) return false;
    return type === "function_call" && name === readFile.name && (namespace ?? null) === null;
  }

  /** The turn begins again, and calls that are not answered yet with it. */
  forget(): void {
    this.#calls.clear();
  }

  /**
   * Answers the calls of a turn until it has an answer for the caller, or calls of the caller's functions.
   *
   * @throws CodexNativeApiError `turn_stalled` for a model that never stops to call it, and what a turn throws.
   */
  async answer(first: IsolatedTurnResult, turn: ReadingTurn): Promise<IsolatedTurnResult> {
    let result = first;
    while (this.#calls.size > 0) {
      const { outcome } = result;
      const isWaiting = outcome.status === "parked" || outcome.status === "handed_over";
      const outputs = await this.#answerCalls(isWaiting ? turn.signal : AbortSignal.abort());
      turn.remember(outputs.map(toItem));
      if (!isWaiting) return result;
      const own = new Set(outputs.map(({ callId }) => callId));
      const callIds = outcome.callIds.filter((id) => !own.has(id));
      if (callIds.length > 0) {
        // The caller answers the others, and knows nothing of these: its next request is a replay.
        if (outcome.status === "parked") turn.abandon(result.turnId);
        return {
          ...result,
          outcome: { mayHaveAskedAgain: false, ...outcome, status: "handed_over", callIds },
        };
      }
      if (this.#answered > readableFileLimits.maxFiles + maxRefusedCalls) {
        if (outcome.status === "parked") turn.abandon(result.turnId);
        throw new CodexNativeApiError("turn_stalled", `The model does not stop to call ${readFile.name}.`);
      }
      const resumed = outcome.status === "parked" ? await turn.resume(result.turnId, outputs) : null;
      result = add(result, resumed ?? (await turn.replay()));
    }
    return result;
  }

  async #answerCalls(signal: AbortSignal | undefined): Promise<readonly ToolOutput[]> {
    const calls = [...this.#calls];
    this.#calls.clear();
    const outputs: ToolOutput[] = [];
    for (const [callId, call] of calls) {
      this.#answered += 1;
      outputs.push({ callId, parts: [{ type: "text", text: await this.#answerCall(call, signal) }] });
    }
    return outputs;
  }

  /** The file's text, or why there is none, for the model. */
  async #answerCall({ arguments: given }: JsonObject, signal: AbortSignal | undefined): Promise<string> {
    const path = readPath(given);
    if (path === null) return this.#refuse("", 'The arguments must be {"path": "…"}.');
    const { maxFiles, maxFileBytes, timeoutMs } = readableFileLimits;
    if (this.#answered > maxFiles) return this.#refuse(path, `No more than ${maxFiles} files can be read.`);
    try {
      const reading = readFileBelow(this.#roots, path, Math.min(maxFileBytes, this.#leftBytes));
      const file = await waitWithin(reading, { timeoutMs, signal }, () => null);
      if (file === null) return this.#refuse(path, "The file was not read in time.");
      this.#leftBytes -= file.bytes;
      this.#read.push({ path: shorten(path), bytes: file.bytes });
      return file.text;
    } catch (error) {
      if (!(error instanceof ReadableFileError)) throw error;
      return this.#refuse(path, error.message);
    }
  }

  #refuse(path: string, reason: string): string {
    this.#refused.push({ path: shorten(path), reason });
    return `Error: ${reason}`;
  }
}

function whyNot({ bridgeTask, request }: DialectTurn, roots: readonly string[]): FileAccess["reason"] {
  if (roots.length === 0) return "no_readable_roots";
  if (bridgeTask?.allowsTools !== true) return "tools_not_allowed";
  return request.tools?.some(({ name }) => name === readFile.name) === true ? "function_of_that_name" : null;
}

function describeContext(promptContext: string): JsonObject {
  return textMessage(
    "developer",
    `Context of this task, as the program that asks describes it:\n\n${promptContext}`,
  );
}

function readPath(given: unknown): string | null {
  const path = typeof given === "string" ? parseJsonObject(given)?.path : null;
  return typeof path === "string" ? path : null;
}

function toItem({ callId, parts }: ToolOutput): JsonObject {
  const output = parts.flatMap((part) => (part.type === "text" ? part.text : [])).join("");
  return { type: "function_call_output", call_id: callId, output };
}

/** What the caller learns of two stretches of one turn. */
function add(before: IsolatedTurnResult, after: IsolatedTurnResult): IsolatedTurnResult {
  const [first, second] = [before.queue, after.queue];
  const queue =
    first === undefined || second === undefined
      ? (first ?? second)
      : { waitedMs: first.waitedMs + second.waitedMs, refusals: first.refusals + second.refusals };
  return { ...after, usage: addUsage(before.usage, after.usage), ...(queue !== undefined && { queue }) };
}

const maxShownPathChars = 200;

function shorten(path: string): string {
  return path.length > maxShownPathChars ? `${path.slice(0, maxShownPathChars)}…` : path;
}
