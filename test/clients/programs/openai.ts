/** What a program does with OpenAI's own client. It runs beside an installed `openai`, of whichever version. */
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { ResponsesWS } from "openai/resources/responses/ws";
import { z } from "zod";
import { expect, report } from "../capabilities.js";

const client = new OpenAI({ maxRetries: 0 });
const model = process.env.MODEL ?? "";
const person = z.object({ name: z.string(), age: z.number() });
const hello = "Hello from the model.";
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const weather: OpenAI.Responses.FunctionTool = {
  type: "function",
  name: "weather",
  strict: true,
  parameters,
};
const note: OpenAI.Responses.CustomTool = { type: "custom", name: "note", description: "Notes." };
const noted = "first line\nsecond line";

await report("text", async () => {
  const { output_text } = await client.responses.create({ model, input: "Say hello." });
  expect(output_text === hello, output_text);
  const chat = await client.chat.completions.create({
    model,
    messages: [{ role: "user", content: "Say hello." }],
  });
  expect(chat.choices[0]?.message.content === hello, chat);
});

await report("stream", async () => {
  const stream = client.responses.stream({ model, input: "Say hello." });
  const deltas: string[] = [];
  stream.on("response.output_text.delta", ({ delta }) => deltas.push(delta));
  const { output_text } = await stream.finalResponse();
  expect(output_text === hello && deltas.join("") === hello && deltas.length > 1, { output_text, deltas });
  const chat = client.chat.completions.stream({ model, messages: [{ role: "user", content: "Say hello." }] });
  const content: string[] = [];
  chat.on("content", (delta) => content.push(delta));
  expect((await chat.finalContent()) === hello && content.length > 1, content);
});

await report("functions", async () => {
  const input = "Ask the weather.";
  const first = await client.responses.create({ model, input, tools: [weather] });
  const [call] = first.output.filter((item) => item.type === "function_call");
  expect(call?.arguments === '{"city":"Rome"}', first.output);
  const second = await client.responses.create({
    model,
    previous_response_id: first.id,
    input: [{ type: "function_call_output", call_id: call?.call_id ?? "", output: "clear" }],
    tools: [weather],
  });
  expect(second.output_text.includes("clear"), second.output_text);
  const runner = client.chat.completions.runTools({
    model,
    messages: [{ role: "user", content: input }],
    tools: [
      {
        type: "function",
        function: {
          name: "weather",
          description: "The weather",
          parameters,
          parse: JSON.parse,
          function: () => "clear",
        },
      },
    ],
  });
  expect((await runner.finalContent())?.includes("clear") === true, runner.messages);
});

await report("custom tools", async () => {
  const input = "Take a note.";
  const first = await client.responses.create({ model, input, tools: [note] });
  const [call] = first.output.filter((item) => item.type === "custom_tool_call");
  expect(call?.input === noted, first.output);
  const output = { type: "custom_tool_call_output", call_id: call?.call_id ?? "", output: "kept" } as const;
  const second = await client.responses.create({
    model,
    previous_response_id: first.id,
    input: [output],
    tools: [note],
  });
  expect(second.output_text.includes("kept"), second.output_text);
  const streamed = await client.responses.stream({ model, input, tools: [note] }).finalResponse();
  expect(
    streamed.output.some((item) => item.type === "custom_tool_call" && item.input === noted),
    streamed,
  );
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: input }];
  const tools: OpenAI.ChatCompletionTool[] = [
    { type: "custom", custom: { name: "note", description: "Notes." } },
  ];
  const chat = await client.chat.completions.create({ model, messages, tools });
  const message = chat.choices[0]?.message;
  const [chatCall] = message?.tool_calls ?? [];
  expect(chatCall?.type === "custom" && chatCall.custom.input === noted, chat);
  if (message !== undefined) messages.push(message);
  messages.push({ role: "tool", tool_call_id: chatCall?.id ?? "", content: "kept" });
  const end = await client.chat.completions.create({ model, messages, tools });
  expect(end.choices[0]?.message.content?.includes("kept") === true, end);
});

await report("structured output", async () => {
  const parsed = await client.responses.parse({
    model,
    input: "Who is it?",
    text: { format: zodTextFormat(person, "person") },
  });
  expect(parsed.output_parsed?.age === 36, parsed.output);
  const chat = await client.chat.completions.parse({
    model,
    messages: [{ role: "user", content: "Who is it?" }],
    response_format: zodResponseFormat(person, "person"),
  });
  expect(chat.choices[0]?.message.parsed?.name === "Ada", chat);
});

await report("chain / resume", async () => {
  const first = await client.responses.create({ model, input: "Say hello." });
  const second = await client.responses.create({
    model,
    previous_response_id: first.id,
    input: "What was said?",
  });
  expect(second.output_text.includes("Say hello."), second.output_text);
  const stored = await client.responses.retrieve(second.id);
  expect(stored.output_text === second.output_text, stored);
});

await report("abort", async () => {
  const abort = new AbortController();
  const streams = [
    await client.responses.create({ model, input: "Never end.", stream: true }, { signal: abort.signal }),
    await client.chat.completions.create(
      { model, messages: [{ role: "user", content: "Never end." }], stream: true },
      { signal: abort.signal },
    ),
  ];
  setTimeout(() => abort.abort(), 500);
  for (const stream of streams) for await (const _ of stream);
  expect(abort.signal.aborted, "an end");
});

await report("WebSocket", async () => {
  const socket = new ResponsesWS(client);
  const answers: string[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("event", (event) => {
      if (event.type !== "response.completed") return;
      answers.push(event.response.output.map((item) => JSON.stringify(item)).join());
      if (answers.length === 2) return resolve();
      const previous_response_id = event.response.id;
      socket.send({
        type: "response.create",
        model,
        previous_response_id,
        input: "What was said?",
        store: false,
      });
    });
    socket.send({ type: "response.create", model, input: "Say hello.", store: false });
  }).finally(() => socket.close());
  expect(answers[1]?.includes("Say hello.") === true, answers);
});

// Of versions from 7.55 on.
const decisions: unknown = Reflect.get(client, "decisions");
if (typeof decisions === "object" && decisions !== null) {
  await report("decisions", async () => {
    const create: unknown = Reflect.get(decisions, "create");
    if (typeof create !== "function") throw new Error("There is no decisions.create.");
    const ask = (questions: readonly object[]): Promise<{ readonly answers: readonly object[] }> =>
      create.call(decisions, { model: "gpt-6-luna", input: "Decide this.", questions });
    const instructions = "Which?";
    const { answers } = await ask([
      { type: "predicate", name: "p", instructions },
      { type: "choice", instructions, choices: [{ value: "true" }, { value: true }] },
      { type: "score", name: "s", instructions, levels: [{ label: "low" }, { label: "high" }] },
    ]);
    const shown = answers.map((answer) =>
      ["name", "probability", "choice", "score"].map((key) => Reflect.get(answer, key)),
    );
    const expected = [
      ["p", 0.75, undefined, undefined],
      [null, undefined, true, undefined],
      ["s", undefined, undefined, 0.9],
    ];
    expect(JSON.stringify(shown) === JSON.stringify(expected), answers);
    const fault: unknown = await ask([]).catch((error: unknown) => error);
    expect(fault instanceof OpenAI.BadRequestError && fault.param === "questions", fault);
  });
}
