import type { JsonObject } from "../../workers/contract/json.js";
import type { ResponseChain } from "./chain.js";

const outputTypeOf: ReadonlyMap<unknown, string> = new Map([
  ["function_call", "function_call_output"],
  ["custom_tool_call", "custom_tool_call_output"],
]);
const outputTypes: ReadonlySet<unknown> = new Set(outputTypeOf.values());

/**
 * Items of a request that the chain it continues has already: many clients send an answer's items back beside
 * `previous_response_id`, mostly the calls with their outputs. Twice in the history they would read as made twice.
 *
 * What the model made is known by its id, or where it is a call, by its call id and name; an output, which has no id of its own, is an
 * echo where its call is one and both answer alike.
 */
export function findEchoes(
  { records, items: history }: ResponseChain,
  items: readonly JsonObject[],
): ReadonlySet<JsonObject> {
  const made = new Set(records.flatMap(({ outputItems }) => outputItems.map(idKeyOf)));
  const known = readCalls(history);
  const sent = readCalls(items);
  /** Calls of the chain that came again, by their id: once each. */
  const echoedCalls = new Set<string>();
  /** Ids whose output the request has brought: from there on they are free for other calls. */
  const answered = new Set<string>();
  const echoes = new Set<JsonObject>();
  for (const item of items) {
    const callId = typeof item.call_id === "string" ? item.call_id : null;
    if (callId !== null && outputTypeOf.has(item.type)) {
      if (echoedCalls.has(callId) || answered.has(callId)) continue;
      if (!isSameCall(known.get(callId), item, sent.get(callId))) continue;
      echoedCalls.add(callId);
      echoes.add(item);
    } else if (callId !== null && outputTypes.has(item.type)) {
      if (echoedCalls.has(callId) && !answered.has(callId) && isAlike(known.get(callId)?.output, item)) {
        echoes.add(item);
      }
      answered.add(callId);
    } else {
      const key = idKeyOf(item);
      if (key !== null && made.has(key)) echoes.add(item);
    }
  }
  return echoes;
}

interface KnownCall {
  readonly call: JsonObject;
  /** The first after the call; null while there is none. */
  output: JsonObject | null;
}

/** The latest call of each id, with its output. */
function readCalls(items: readonly JsonObject[]): ReadonlyMap<string, KnownCall> {
  const calls = new Map<string, KnownCall>();
  for (const item of items) {
    if (typeof item.call_id !== "string") continue;
    const known = calls.get(item.call_id);
    if (outputTypeOf.has(item.type)) calls.set(item.call_id, { call: item, output: null });
    else if (known !== undefined && item.type === outputTypeOf.get(known.call.type)) known.output ??= item;
  }
  return calls;
}

/** A call that the chain has answered and the request answers in another way is another call, of an id that was free again. */
function isSameCall(known: KnownCall | undefined, item: JsonObject, sent: KnownCall | undefined): boolean {
  if (known === undefined || known.call.type !== item.type || known.call.name !== item.name) return false;
  return known.output === null || sent?.output === null || isAlike(known.output, sent?.output);
}

function isAlike(known: JsonObject | null | undefined, item: JsonObject | null | undefined): boolean {
  if (known === null || known === undefined || item === null || item === undefined) return false;
  return known.type === item.type && JSON.stringify(known.output) === JSON.stringify(item.output);
}

function idKeyOf({ type, id }: JsonObject): string | null {
  return typeof id === "string" ? `${type} ${id}` : null;
}
