import { randomUUID } from "node:crypto";
import { countItems, type ItemChunk } from "../../workers/contract/item-chunk.js";
import { codexLevels, findNotJson, findTooDeep, maxTextChars } from "../../workers/contract/json.js";
import type {
  FormSettings,
  NativeThreadChoice,
  ThreadSettings,
  TurnAssignment,
} from "../../workers/contract/turn.js";
import { CodexNativeApiError } from "../errors.js";
import { ItemList, type Items } from "../history/item-list.js";
import type {
  IsolatedTurnRequest,
  NamedModel,
  ToolOutput,
  TurnPriority,
  WebSearchOptions,
} from "../runtime/types.js";
import { notJson } from "./admission/turn-refusals.js";

/**
 * A caller's request, read once: every default is filled in, and nothing in it is the host's own object any more. The model is chosen
 * when the turn finds its place.
 */
export interface TurnRequest
  extends Pick<TurnAssignment, "turn" | "items" | "directives" | "followed" | "keepThread"> {
  readonly thread: Omit<ThreadSettings, "model" | keyof FormSettings>;
  readonly model: string | undefined;
  /** `model` is an id already, and nothing of the request is to come from a name. */
  readonly isNamed: boolean;
  /** Whether the request says which tier it wants, be it the ordinary one. */
  readonly hasTier: boolean;
  readonly accountId: string | null | undefined;
  readonly caller: string;
  readonly priority: TurnPriority;
  /** On the runtime's monotonic clock; undefined: the caller set no deadline. */
  readonly deadlineAtMs: number | undefined;
  readonly owner: string | null;
  readonly requestId: string | undefined;
}

const defaultCaller = "default";
const anyWebSearch: WebSearchOptions = { contextSize: null, allowedDomains: null, location: null };

/** Throws `invalid_request` for a request without items, unless it may be empty, for one that is not JSON, and for one that Codex could not read. */
export function readRequest(given: IsolatedTurnRequest, mayBeEmpty = false): TurnRequest {
  let request: TurnRequest;
  try {
    request = fillIn(given);
  } catch (error) {
    if (error instanceof CodexNativeApiError && findNotJson(given) === null) throw error;
    throw notJson(given, error);
  }
  const { thread, turn, directives, model } = request;
  const fields = { directives, ...thread, ...turn, model };
  if (findNotJson(fields) !== null) throw notJson(fields, null);
  refuseDeepNesting(request);
  refuseLongText(thread.instructions, "instructions");
  if (request.items.length > 0 || mayBeEmpty) return request;
  throw new CodexNativeApiError("invalid_request", "There is nothing to answer: the input is empty.", {
    param: "input",
  });
}

/** The request with what the name of its model stands for, as far as it says nothing of that itself. */
export function withNamedModel(request: TurnRequest, named: NamedModel | null): TurnRequest {
  if (named === null) return request;
  const { turn, hasTier } = request;
  const { effort, serviceTier } = named;
  return {
    ...request,
    // One that names no model goes on with whichever its thread has.
    ...(request.model !== undefined && { model: named.model }),
    isNamed: true,
    turn: {
      ...turn,
      effort: turn.effort ?? effort,
      serviceTier: hasTier ? turn.serviceTier : serviceTier,
    },
  };
}

/** What goes to a worker as it is gets copied: a host's object may have getters that answer otherwise the next time. */
function fillIn(given: IsolatedTurnRequest): TurnRequest {
  const { webSearch = false } = given;
  const copied = structuredClone({
    directives: given.directives ?? [],
    thread: {
      instructions: given.instructions ?? "",
      tools: given.tools ?? [],
      webSearch: webSearch === true ? anyWebSearch : webSearch || null,
      verbosity: given.verbosity ?? null,
    },
    turn: {
      effort: given.effort ?? null,
      summary: given.summary ?? null,
      serviceTier: given.serviceTier ?? null,
      outputSchema: given.outputSchema ?? null,
    },
  });
  return {
    ...copied,
    model: given.model,
    isNamed: given.requestedModel !== undefined,
    hasTier: given.serviceTier !== undefined,
    items: packItems(given.items).chunks,
    followed: given.followed !== false,
    keepThread: given.keepThread === true && copied.directives.length === 0,
    accountId: given.accountId,
    caller: given.caller ?? defaultCaller,
    priority: given.priority ?? "interactive",
    deadlineAtMs: given.deadlineAtMs,
    owner: given.owner ?? null,
    requestId: given.requestId,
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
function refuseDeepNesting({ thread, turn, directives }: TurnRequest): void {
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

/** How long a turn may take. */
export interface TurnBounds {
  /** One segment of it, in milliseconds. */
  readonly timeoutMs: number;
  /** Its silence, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Other limits, by model id or reasoning effort; that of a model goes before that of an effort. */
  readonly idleTimeoutsMs?: Readonly<Record<string, number>>;
}

export function buildAssignment(
  { turn, items, directives, followed, keepThread }: TurnRequest,
  thread: ThreadSettings,
  nativeThread: NativeThreadChoice,
  { idleTimeoutMs, idleTimeoutsMs = {} }: TurnBounds,
): TurnAssignment {
  const ownLimits = new Map(Object.entries(idleTimeoutsMs));
  return {
    turnKey: randomUUID(),
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

/** Chunks are joined up to this size: a long chain has thousands of a few bytes. */
const joinedBytes = 256 * 1024;

/**
 * Copies to give to the thread: its port takes them without another, where bytes within a message would be copied twice. What is
 * here stays, for a turn that is run again and for the store.
 */
export function copyChunks(chunks: readonly ItemChunk[]): readonly ItemChunk[] {
  const groups: ItemChunk[][] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    const group = groups.at(-1);
    bytes += chunk.json.length + 1;
    if (group !== undefined && bytes <= joinedBytes) {
      group.push(chunk);
      continue;
    }
    groups.push([chunk]);
    bytes = chunk.json.length + 1;
  }
  return groups.map(joinChunks);
}

const comma = 0x2c;

function joinChunks(chunks: readonly ItemChunk[]): ItemChunk {
  const bytes = chunks.reduce((sum, { json }) => sum + json.length + 1, -1);
  const json = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    if (at > 0) json[at - 1] = comma;
    json.set(chunk.json, at);
    at += chunk.json.length + 1;
  }
  const traits = chunks.reduce((sum, chunk) => sum | chunk.traits, 0);
  return { json, count: countItems(chunks), traits };
}
