import { createHash } from "node:crypto";
import { itemTypesOf } from "../../workers/contract/client-tools.js";
import { itemTraits } from "../../workers/contract/item-chunk.js";
import type { JsonObject } from "../../workers/contract/json.js";
import type { Pace } from "../../workers/contract/pace.js";
import { type Items, visitItems } from "../history/item-list.js";
import type { ResponseChain } from "./chain.js";

const outputTypeOf: ReadonlyMap<unknown, string> = new Map(
  Object.values(itemTypesOf).map(({ call, output }) => [call, output]),
);
const outputTypes: ReadonlySet<unknown> = new Set(outputTypeOf.values());

/** What of an item tells whether another is the same. */
interface Mark {
  /** Place in the request. */
  readonly at: number;
  readonly type: unknown;
  /** Type and id; null without an id. */
  readonly idKey: string | null;
  readonly callId: string | null;
  readonly name: unknown;
  /** Of the answer of a call, what stands for its content. */
  readonly digest: string | null;
}

/**
 * Places of those items of a request that the chain it continues has already: many clients send an answer's items back beside
 * `previous_response_id`, mostly the calls with their outputs. Twice in the history they would read as made twice.
 *
 * What the model made is known by its id, or where it is a call, by its call id and name; an output, which has no id of its own, is an
 * echo where its call is one and both answer alike.
 */
export async function findEchoes(
  { records, items: history }: ResponseChain,
  items: Items,
  pace: Pace,
): Promise<ReadonlySet<number>> {
  const marks: Mark[] = [];
  const sent = new Calls(() => true);
  const take = (item: JsonObject, at: number) => {
    const mark = markOf(item, at);
    if (mark === null) return;
    marks.push(mark);
    sent.add(mark);
  };
  await visitItems(items, pace, take, itemTraits.id | itemTraits.call);
  if (marks.length === 0) return new Set();
  const made = new Set(records.flatMap(({ outputItems }) => outputItems.map(idKeyOf)));
  const known = new Calls((callId) => sent.get(callId) !== undefined);
  await visitItems(history, pace, (item, at) => known.add(markOf(item, at)), itemTraits.call);
  return compare(marks, { made, known, sent });
}

interface Known {
  /** Ids of what the model made. */
  readonly made: ReadonlySet<string | null>;
  /** Calls of the chain. */
  readonly known: Calls;
  /** Calls of the request. */
  readonly sent: Calls;
}

function compare(marks: readonly Mark[], { made, known, sent }: Known): ReadonlySet<number> {
  /** Calls of the chain that came again, by their id: once each. */
  const echoedCalls = new Set<string>();
  /** Ids whose output the request has brought: from there on they are free for other calls. */
  const answered = new Set<string>();
  const echoes = new Set<number>();
  for (const mark of marks) {
    const { callId, type, at } = mark;
    if (callId !== null && outputTypeOf.has(type)) {
      if (echoedCalls.has(callId) || answered.has(callId)) continue;
      if (!isSameCall(known.get(callId), mark, sent.get(callId))) continue;
      echoedCalls.add(callId);
      echoes.add(at);
    } else if (callId !== null && outputTypes.has(type)) {
      if (echoedCalls.has(callId) && !answered.has(callId) && isAlike(known.get(callId)?.output, mark)) {
        echoes.add(at);
      }
      answered.add(callId);
    } else if (mark.idKey !== null && made.has(mark.idKey)) echoes.add(at);
  }
  return echoes;
}

interface KnownCall {
  readonly call: Mark;
  /** The first after the call; null while there is none. */
  output: Mark | null;
}

/** The latest call of each id, with its output. */
class Calls {
  readonly #calls = new Map<string, KnownCall>();
  readonly #isWanted: (callId: string) => boolean;

  constructor(isWanted: (callId: string) => boolean) {
    this.#isWanted = isWanted;
  }

  get(callId: string): KnownCall | undefined {
    return this.#calls.get(callId);
  }

  add(mark: Mark | null): void {
    if (mark === null || mark.callId === null || !this.#isWanted(mark.callId)) return;
    const known = this.#calls.get(mark.callId);
    if (outputTypeOf.has(mark.type)) this.#calls.set(mark.callId, { call: mark, output: null });
    else if (known !== undefined && mark.type === outputTypeOf.get(known.call.type)) known.output ??= mark;
  }
}

/** A call that the chain has answered and the request answers in another way is another call, of an id that was free again. */
function isSameCall(known: KnownCall | undefined, mark: Mark, sent: KnownCall | undefined): boolean {
  if (known === undefined || known.call.type !== mark.type || known.call.name !== mark.name) return false;
  return known.output === null || sent?.output === null || isAlike(known.output, sent?.output);
}

function isAlike(known: Mark | null | undefined, mark: Mark | null | undefined): boolean {
  if (known === null || known === undefined || mark === null || mark === undefined) return false;
  return known.type === mark.type && known.digest === mark.digest;
}

/** Null for an item that has no id of any kind. */
function markOf(item: JsonObject, at: number): Mark | null {
  const { type, call_id: callId, name } = item;
  const idKey = idKeyOf(item);
  if (typeof callId !== "string")
    return idKey === null ? null : { at, type, idKey, callId: null, name, digest: null };
  return { at, type, idKey, callId, name, digest: outputTypes.has(type) ? digestOf(item) : null };
}

/** Only of a patch its status is part of the answer. */
function digestOf({ type, output, status }: JsonObject): string {
  const answer = type === itemTypesOf.apply_patch.output ? [status, output ?? ""] : output;
  return createHash("sha256")
    .update(JSON.stringify(answer) ?? "")
    .digest("base64");
}

function idKeyOf({ type, id }: JsonObject): string | null {
  return typeof id === "string" ? `${type} ${id}` : null;
}
