/** What Codex says of a turn, and the same with some of it lost, doubled, or out of place. */
import fc from "fast-check";
import type { JsonObject } from "../../../src/workers/contract/json.js";
import { anyJson, anyText } from "./json-values.js";

/** A notification without its scope; `about` is the id of the message that it is about. */
export interface Told {
  readonly method: string;
  readonly params: JsonObject;
  readonly about: string | null;
}

export interface Answer {
  readonly told: readonly Told[];
  /** The messages of the turn as the model made them. */
  readonly messages: ReadonlyMap<string, string>;
}

const usage = {
  totalTokens: 3,
  inputTokens: 2,
  cachedInputTokens: 0,
  cacheWriteInputTokens: 0,
  outputTokens: 1,
  reasoningOutputTokens: 0,
};

const piece = fc
  .oneof(anyText, fc.constantFrom("a", "漢", "🌍", "\n", '"', "\u2028", " "))
  .filter((text) => text !== "");

const part = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("message" as const),
      deltas: fc.array(piece, { maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("reasoning" as const),
      deltas: fc.array(piece, { maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("search" as const), deltas: fc.constant([]) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("call" as const),
      name: fc.constantFrom("lookup", "exec_command", "mcp__x"),
      args: fc.constantFrom("{}", "{", "", '{"a":"🌍"}'),
      deltas: fc.constant([]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("odd" as const), item: anyJson, deltas: fc.constant([]) }),
  },
);
type Part = typeof part extends fc.Arbitrary<infer Made> ? Made : never;

function tellPart(made: Part, index: number): readonly Told[] {
  const itemId = `item_${index}`;
  const tell = (method: string, params: JsonObject): Told => ({
    method,
    params,
    about: made.kind === "message" ? itemId : null,
  });
  const text = made.deltas.join("");
  switch (made.kind) {
    case "message": {
      const content = [{ type: "output_text", text, annotations: [] }];
      return [
        tell("item/started", { item: { type: "agentMessage", id: itemId, text: "" } }),
        ...made.deltas.map((delta) => tell("item/agentMessage/delta", { itemId, delta })),
        tell("item/completed", { item: { type: "agentMessage", id: itemId, text } }),
        tell("rawResponseItem/completed", {
          item: { type: "message", id: itemId, role: "assistant", status: "completed", content },
        }),
      ];
    }
    case "reasoning":
      return [
        tell("item/started", { item: { type: "reasoning", id: itemId } }),
        tell("item/reasoning/summaryPartAdded", { itemId, summaryIndex: 0 }),
        ...made.deltas.map((delta) =>
          tell("item/reasoning/summaryTextDelta", { itemId, summaryIndex: 0, delta }),
        ),
        tell("rawResponseItem/completed", {
          item: { type: "reasoning", id: itemId, summary: [{ type: "summary_text", text }] },
        }),
      ];
    case "search":
      return [
        tell("item/started", { item: { type: "webSearch", id: itemId, query: "" } }),
        tell("rawResponseItem/completed", {
          item: {
            type: "web_search_call",
            id: itemId,
            status: "completed",
            action: { type: "search", query: "x" },
          },
        }),
      ];
    case "call":
      return [
        tell("rawResponseItem/completed", {
          item: {
            type: "function_call",
            id: itemId,
            call_id: `call_${index}`,
            name: made.name,
            arguments: made.args,
          },
        }),
      ];
    case "odd":
      return [tell("rawResponseItem/completed", { item: { type: "odd", value: made.item } })];
  }
}

const calls = fc.array(fc.array(part, { maxLength: 4 }), { minLength: 1, maxLength: 3 });

/** One to three model calls, as a Codex that loses nothing tells of them; `turn/completed` is not part of it. */
export const anyAnswer: fc.Arbitrary<Answer> = calls.map((parts) => {
  const told: Told[] = [];
  const messages = new Map<string, string>();
  let index = 0;
  for (const call of parts) {
    for (const made of call) {
      if (made.kind === "message") messages.set(`item_${index}`, made.deltas.join(""));
      told.push(...tellPart(made, index++));
    }
    told.push({
      method: "rawResponse/completed",
      params: { responseId: `resp_${index}`, usage },
      about: null,
    });
  }
  return { told, messages };
});

const fates = fc.array(fc.constantFrom("keep", "keep", "keep", "lose", "double", "delay"), { maxLength: 80 });

/** The same with each notification kept, lost, sent twice or sent too late. */
export const anyDisturbedAnswer: fc.Arbitrary<Answer> = fc
  .tuple(anyAnswer, fates)
  .map(([{ told, messages }, given]) => {
    const kept: Told[] = [];
    const late: Told[] = [];
    for (const [index, one] of told.entries()) {
      const fate = given[index] ?? "keep";
      if (fate === "keep" || fate === "double") kept.push(one, ...late.splice(0, 1));
      if (fate === "double") kept.push(one);
      if (fate === "delay") late.push(one);
    }
    return { told: [...kept, ...late], messages };
  });
