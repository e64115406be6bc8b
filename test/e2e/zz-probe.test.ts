import t from "tap";
import { functionCall, reply, text, incomplete } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
t.test("probe", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const show = async (name: string, r: any, body: any = {}) => {
    backend.setDefaultReply(r);
    console.error("=====", name);
    const n = backend.requests.length, at = performance.now();
    try {
    for await (const e of (await client.responses.create({ input: "x", ...body, stream: true })) as any) {
      const { response, ...rest } = e;
      console.error(Math.round(performance.now()-at), JSON.stringify(response ? { ...rest, response: { status: response.status, output: e.type.match(/completed|failed|incomplete/) ? response.output : undefined, usage: response.usage, error: response.error, incomplete_details: response.incomplete_details, ignored: response.native_api.ignored_parameters, tier: response.service_tier } } : e));
    }
    } catch (e) { console.error(e); }
    console.error("REQS", backend.requests.length-n, backend.requests.slice(n).map(r=>r.transport).join());
  };
  await show("calls", reply(functionCall({ name: "f", arguments: { a: 1 }, callId: "c1" }), functionCall({ name: "f", arguments: { a: 2 }, callId: "c2" })), { tools: [{ type: "function", name: "f", strict: false, parameters: { type: "object", properties: { a: { type: "number" } } } }] });
  await show("structured", text('{"a":1}'), { text: { format: { type: "json_schema", name: "n", strict: true, schema: { type: "object", properties: { a: { type: "number" } }, required: ["a"], additionalProperties: false } } } });
    console.error("REQ", JSON.stringify(backend.requests.at(-1)?.body.text));
  await show("incomplete", incomplete({ reason: "max_output_tokens", text: "half an" }));
  await show("filter", incomplete({ reason: "content_filter" }));
});
