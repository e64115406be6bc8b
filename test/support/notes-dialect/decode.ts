import { z } from "zod";
import type { Decoding, DialectTurn } from "../../../src/main/dialects/dialect.js";
import { type JsonBody, parseBody } from "../../../src/main/dialects/requests/parse-body.js";
import { CodexNativeApiError } from "../../../src/main/errors.js";
import { ItemList } from "../../../src/main/history/item-list.js";
import { ignored, refusals } from "./parameters.js";

const note = z.looseObject({
  text: z.string().optional(),
  /** The note before. */
  after: z.string().optional(),
  functions: z.array(z.string()).default([]),
  answers: z.array(z.object({ call: z.string(), text: z.string() })).default([]),
  stream: z.boolean().default(false),
});

export async function decodeNote(body: JsonBody, { pace }: Decoding): Promise<DialectTurn> {
  const asked = parseBody(note, body.value, "invalid_request");
  for (const [param, reason] of Object.entries(refusals)) {
    if (param in asked) throw new CodexNativeApiError("invalid_request", `${param}: ${reason}.`, { param });
  }
  await pace.breathe();
  const { text, after, functions, answers, stream } = asked;
  const content = [{ type: "input_text", text }];
  const items = [
    ...answers.map(({ call, text: output }) => ({ type: "function_call_output", call_id: call, output })),
    ...(text === undefined ? [] : [{ type: "message", role: "user", content }]),
  ];
  const parameters = { type: "object", properties: {} };
  return {
    request: {
      items: ItemList.of(items),
      tools: functions.map((name) => ({ name, description: "", parameters })),
    },
    obligations: [],
    ignoredParameters: ignored.filter((name) => name in asked),
    metadata: null,
    taskClass: null,
    stream,
    store: true,
    background: false,
    previousResponseId: after ?? null,
    isPaired: false,
    bridgeTask: null,
    offerWith: null,
  };
}
