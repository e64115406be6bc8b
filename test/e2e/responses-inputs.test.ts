/** What goes in beside plain words and what a response repeats of it, through the official client. */
import type OpenAI from "openai";
import t from "tap";
import { faultOf } from "../support/api-faults.js";
import { startServiceHarness } from "../support/service-harness.js";

const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

t.test("images reach the backend unchanged, where data URLs carry them", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const ask = (url: string) =>
    client.responses.create({
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "What is this?" },
            { type: "input_image", image_url: url, detail: "auto" },
          ],
        },
      ],
    });
  t.match(await faultOf(ask("https://pictures.example/1.png")), {
    status: 400,
    code: "unsupported_responses_feature",
    param: "input[0].content[1].image_url",
    message: /data URL/,
  });
  t.equal(backend.requests.length, 0);
  await ask(pixel);
  t.match(backend.requests[0]?.fullInput, [
    {
      role: "user",
      content: [
        { type: "input_text", text: "What is this?" },
        { type: "input_image", image_url: pixel },
      ],
    },
  ]);
});

t.test("a file of text is inlined with its name", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const content = "Größe: 3\n";
  await client.responses.create({
    input: [
      {
        role: "user",
        content: [
          { type: "input_text", text: "Sum this up." },
          {
            type: "input_file",
            filename: "notes.md",
            file_data: `data:text/markdown;base64,${Buffer.from(content).toString("base64")}`,
          },
        ],
      },
    ],
  });
  t.match(backend.requests[0]?.fullInput, [
    {
      content: [
        { type: "input_text", text: "Sum this up." },
        { type: "input_text", text: `<file name="notes.md">\n${content}\n</file>` },
      ],
    },
  ]);
});

t.test("verbosity and service tier reach the backend", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const response = await client.responses.create({
    input: "hello",
    text: { verbosity: "low" },
    service_tier: "priority",
  });
  t.match(backend.requests[0]?.body, { text: { verbosity: "low" }, service_tier: "priority" });
  t.match(response, { text: { verbosity: "low" }, service_tier: "priority" });
  await client.responses.create({ input: "hello" });
  t.notOk(backend.requests[1]?.body.service_tier);
});

/** The compiler sees that none is missing; those left out are optional and have no null. */
const fields: Record<
  Exclude<keyof OpenAI.Responses.Response, "output_text" | "user" | "prompt_cache_options">,
  true
> = {
  background: true,
  completed_at: true,
  conversation: true,
  created_at: true,
  error: true,
  id: true,
  incomplete_details: true,
  instructions: true,
  max_output_tokens: true,
  metadata: true,
  model: true,
  moderation: true,
  object: true,
  output: true,
  parallel_tool_calls: true,
  previous_response_id: true,
  prompt: true,
  prompt_cache_key: true,
  prompt_cache_retention: true,
  reasoning: true,
  safety_identifier: true,
  service_tier: true,
  status: true,
  temperature: true,
  text: true,
  tool_choice: true,
  tools: true,
  top_logprobs: true,
  top_p: true,
  truncation: true,
  usage: true,
};

t.test("every field of OpenAI's is there, in answers, streams and what is read later", async (t) => {
  const { client } = await startServiceHarness(t);
  const made = await client.responses.create({ input: "hello" });
  const told: OpenAI.Responses.Response[] = [];
  for await (const event of await client.responses.create({ input: "hello", stream: true })) {
    if ("response" in event) told.push(event.response);
  }
  t.equal(told.length, 3);
  for (const response of [made, await client.responses.retrieve(made.id), ...told]) {
    t.same(
      Object.keys(fields).filter((field) => !(field in response)),
      [],
      `${response.status}`,
    );
    t.match(response, { native_api: { response_mapping: { response_id: response.id } } });
  }
});

t.test("metadata is echoed, and the bridge's part of it stays on this machine", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const metadata = {
    ticket: "42",
    codexbridge: {
      taskClass: "intent",
      eventMetadata: { room: "secret-room" },
      threadMetadata: { depth: 2 },
    },
  };
  // OpenAI's types have pairs of strings alone.
  const made = await client.post<OpenAI.Responses.Response>("/responses", {
    body: { input: "hello", metadata },
  });
  t.same(made.metadata, metadata);
  t.match(made, { native_api: { request_target: { task_class: "intent" } } });
  t.same((await client.responses.retrieve(made.id)).metadata, metadata);
  t.notMatch(backend.requests[0]?.bodyText, /secret-room|"42"|intent/);
});
