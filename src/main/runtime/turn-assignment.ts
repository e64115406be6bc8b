import { findNotJson } from "../../workers/contract/json.js";
import { codexLevels, findTooDeep } from "../../workers/contract/json-depth.js";
import { maxTextChars } from "../../workers/contract/long-text.js";
import type {
  FormSettings,
  NativeThreadChoice,
  ThreadSettings,
  TurnAssignment,
} from "../../workers/contract/turn.js";
import { CodexNativeApiError } from "../errors.js";
import { ItemList, type Items } from "../history/item-list.js";
import { notJson } from "./turn-refusals.js";
import type { IsolatedTurnRequest, ToolOutput, TurnPriority, WebSearchOptions } from "./types.js";

/** A turn for a worker, all but its key. */
export type Assignment = Omit<TurnAssignment, "turnKey">;

/**
 * A request, read once: a host's object may have getters that throw, or answer otherwise the next time. Every default is filled
 * in; the model is chosen when the turn finds its place.
 */
export interface WantedTurn {
  readonly thread: Omit<ThreadSettings, "model" | keyof FormSettings>;
  readonly model: string | undefined;
  readonly turn: TurnAssignment["turn"];
  readonly items: TurnAssignment["items"];
  readonly directives: TurnAssignment["directives"];
  readonly followed: boolean;
  readonly keepThread: boolean;
  readonly accountId: string | null | undefined;
  readonly caller: string;
  readonly priority: TurnPriority;
  /** On the runtime's monotonic clock; undefined: none of the caller's own. */
  readonly deadlineAtMs: number | undefined;
  readonly owner: string | null;
  readonly requestId: string | undefined;
}

const defaultCaller = "default";

/** Throws `invalid_request` for a request without items, and for one that cannot be read. */
export function readRequest(request: IsolatedTurnRequest): WantedTurn {
  let wanted: WantedTurn;
  try {
    wanted = fillIn(request);
    refuseDeepNesting(wanted);
    refuseLongText(wanted.thread.instructions, "instructions");
  } catch (error) {
    if (error instanceof CodexNativeApiError && findNotJson(request) === null) throw error;
    throw notJson(request, error);
  }
  if (wanted.items.length > 0) return wanted;
  throw new CodexNativeApiError("invalid_request", "There is nothing to answer: the input is empty.", {
    param: "input",
  });
}

function fillIn(request: IsolatedTurnRequest): WantedTurn {
  const directives = request.directives ?? [];
  return {
    thread: {
      instructions: request.instructions ?? "",
      tools: request.tools ?? [],
      webSearch: readWebSearch(request.webSearch),
      verbosity: request.verbosity ?? null,
    },
    model: request.model,
    turn: {
      effort: request.effort ?? null,
      summary: request.summary ?? null,
      serviceTier: request.serviceTier ?? null,
      outputSchema: request.outputSchema ?? null,
    },
    items: packItems(request.items).chunks,
    directives,
    followed: request.followed !== false,
    keepThread: request.keepThread === true && directives.length === 0,
    accountId: request.accountId,
    caller: request.caller ?? defaultCaller,
    priority: request.priority ?? "interactive",
    deadlineAtMs: request.deadlineAtMs,
    owner: request.owner ?? null,
    requestId: request.requestId,
  };
}

/** A function or a symbol would be left out without a word. */
function packItems(items: Items): ItemList {
  if (!(items instanceof ItemList) && findNotJson({ items }) !== null) throw new TypeError("not JSON");
  return ItemList.of(items);
}

/** Levels of the message that brings them to Codex, above the schemas of tools and of the output. */
const toolEnvelopeLevels = 4;
const schemaEnvelopeLevels = 2;
const itemEnvelopeLevels = 3;

/** Throws `invalid_request` with the path of what Codex could not read. */
function refuseDeepNesting({ thread, turn, directives }: WantedTurn): void {
  for (const [index, directive] of directives.entries()) {
    refuseDeeper(directive, codexLevels - itemEnvelopeLevels, `directives[${index}]`);
  }
  for (const [index, { parameters }] of thread.tools.entries()) {
    refuseDeeper(parameters, codexLevels - toolEnvelopeLevels, `tools[${index}].parameters`);
  }
  refuseDeeper(turn.outputSchema, codexLevels - schemaEnvelopeLevels, "outputSchema");
}

function refuseLongText(text: string, param: string): void {
  if (text.length <= maxTextChars) return;
  const message = `'${param}' is longer than ${maxTextChars} characters.`;
  throw new CodexNativeApiError("invalid_request", message, { param });
}

function refuseDeeper(value: unknown, levels: number, field: string): void {
  const path = findTooDeep(value, levels);
  if (path === null) return;
  const param = path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : `${text}.${step}`),
    field,
  );
  const message = `'${field}' is nested deeper than ${levels} levels, which is more than Codex reads.`;
  throw new CodexNativeApiError("invalid_request", message, { param });
}

/** What goes to Codex, under the names that a request has for it. */
export function fieldsOf({
  thread,
  turn,
  directives,
}: Pick<TurnAssignment, "turn" | "directives"> & Pick<WantedTurn, "thread">): object {
  return { directives, ...thread, ...turn };
}

/** Runs what looks into the request. Throws `invalid_request` where that fails because the request is no JSON. */
export function orRefuse<T>(wanted: WantedTurn, look: () => T): T {
  try {
    return look();
  } catch (error) {
    const fields = fieldsOf(wanted);
    if (error instanceof CodexNativeApiError || findNotJson(fields) === null) throw error;
    throw notJson(fields, error);
  }
}

/** Outputs of functions, read once. Throws `invalid_request` for what is not text and images. */
export function readToolOutputs(outputs: readonly ToolOutput[]): readonly ToolOutput[] {
  try {
    return outputs.map(readToolOutput);
  } catch (error) {
    throw error instanceof CodexNativeApiError ? error : notJson({ outputs }, error);
  }
}

function readToolOutput({ callId, parts }: ToolOutput, index: number): ToolOutput {
  const read = parts.map((part) => {
    if (part.type === "image") return { type: part.type, imageUrl: part.imageUrl } as const;
    return { type: part.type, text: part.text } as const;
  });
  const isText = (value: unknown): boolean => typeof value === "string";
  const at = read.findIndex((part) => !isText(part.type === "image" ? part.imageUrl : part.text));
  for (const [place, part] of read.entries()) {
    if (at === -1 && part.type === "text") refuseLongText(part.text, `outputs[${index}].parts[${place}]`);
  }
  if (isText(callId) && at === -1) return { callId, parts: read };
  const param = `outputs[${index}].${at === -1 ? "callId" : `parts[${at}]`}`;
  throw new CodexNativeApiError("invalid_request", `${param} is no text.`, { param });
}

/** How long turns may be silent. */
export interface SilenceLimits {
  readonly idleTimeoutMs: number;
  /** Other limits, by model id or reasoning effort; that of a model goes before that of an effort. */
  readonly idleTimeoutsMs: Readonly<Record<string, number>>;
}

export interface AssignmentContext extends SilenceLimits {
  readonly thread: ThreadSettings;
  readonly nativeThread: NativeThreadChoice;
}

export function buildAssignment(wanted: WantedTurn, context: AssignmentContext): Assignment {
  const { turn, items, directives, followed, keepThread } = wanted;
  const { thread, nativeThread, idleTimeoutsMs, idleTimeoutMs } = context;
  const ownLimits = new Map(Object.entries(idleTimeoutsMs));
  return {
    thread,
    turn,
    items,
    directives,
    nativeThread,
    followed,
    keepThread,
    idleTimeoutMs: ownLimits.get(thread.model) ?? ownLimits.get(turn.effort ?? "") ?? idleTimeoutMs,
  };
}

const anyWebSearch: WebSearchOptions = { contextSize: null, allowedDomains: null, location: null };

function readWebSearch(webSearch: IsolatedTurnRequest["webSearch"]): WebSearchOptions | null {
  if (webSearch === undefined || webSearch === false) return null;
  return webSearch === true ? anyWebSearch : webSearch;
}

/** A thread's settings as text that is equal where they are. */
export function settingsOf(thread: ThreadSettings): string {
  return JSON.stringify(thread);
}
