/** What a program does with the AI SDK. */
import { createOpenAI } from "@ai-sdk/openai";
import * as ai from "ai";
import { generateText, Output, stepCountIs, streamText, type ToolSet, tool } from "ai";
import { z } from "zod";
import { expect, report } from "../capabilities.js";

const openai = createOpenAI();
const id = process.env.MODEL ?? "";
const models = [openai.responses(id), openai.chat(id)];
const hello = "Hello from the model.";

await report("text", async () => {
  for (const model of models) {
    const { text } = await generateText({ model, prompt: "Say hello.", maxRetries: 0 });
    expect(text === hello, text);
  }
});

await report("stream", async () => {
  for (const model of models) {
    const deltas: string[] = [];
    for await (const delta of streamText({ model, prompt: "Say hello." }).textStream) deltas.push(delta);
    expect(deltas.join("") === hello && deltas.length > 1, deltas);
  }
});

await report("functions", async () => {
  const weather = tool({
    description: "The weather",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `clear in ${city}`,
  });
  for (const model of models) {
    const given = { model, prompt: "Ask the weather.", tools: { weather }, stopWhen: stepCountIs(3) };
    const { text } = await generateText({ ...given, maxRetries: 0 });
    expect(text.includes("clear in Rome"), text);
    let streamed = "";
    for await (const delta of streamText(given).textStream) streamed += delta;
    expect(streamed.includes("clear in Rome"), streamed);
  }
});

await report("custom tools", async () => {
  const inputs: unknown[] = [];
  // The name of an argument of this tool has changed between versions: the key in `tools` is the name in all of them.
  const note = openai.tools.customTool({
    name: "note",
    description: "Notes.",
    execute: async (input: string) => {
      inputs.push(input);
      return "kept";
    },
  });
  const { text } = await generateText({
    model: openai.responses(id),
    prompt: "Take a note.",
    tools: { note: note as ToolSet[string] },
    stopWhen: stepCountIs(3),
    maxRetries: 0,
  });
  expect(text.includes("kept") && inputs[0] === "first line\nsecond line", { text, inputs });
});

await report("structured output", async () => {
  const output = Output.object({ schema: z.object({ name: z.string(), age: z.number() }) });
  for (const model of models) {
    const answer = await generateText({ model, prompt: "Who is it?", output, maxRetries: 0 });
    expect(answer.output.age === 36, answer.text);
  }
});

await report("chain / resume", async () => {
  const model = openai.responses(id);
  const first = await generateText({ model, prompt: "Say hello.", maxRetries: 0 });
  const previousResponseId = String(first.providerMetadata?.openai?.responseId);
  const second = await generateText({
    model,
    prompt: "What was said?",
    providerOptions: { openai: { previousResponseId } },
    maxRetries: 0,
  });
  expect(second.text.includes("Say hello."), second.text);
});

await report("abort", async () => {
  for (const model of models) {
    const abort = new AbortController();
    const kinds: string[] = [];
    for await (const { type } of streamText({ model, prompt: "Never end.", abortSignal: abort.signal })
      .fullStream) {
      kinds.push(type);
      if (type === "text-delta") abort.abort();
    }
    expect(kinds.includes("text-delta") && !kinds.includes("finish"), kinds);
  }
});

const decide: unknown = Reflect.get(ai, "experimental_decide");
const decisionModel: unknown = Reflect.get(openai, "decisionModel");
if (typeof decide === "function" && typeof decisionModel === "function") {
  await report("decisions", async () => {
    const { answers } = await decide({
      model: decisionModel("gpt-6-luna"),
      state: [
        { type: "text", text: "Decide this." },
        { type: "json", value: { sum: 2 } },
      ],
      questions: {
        urgent: { type: "boolean", instructions: "Is it?", criteria: { true: "Today.", false: "Later." } },
        team: { type: "choice", instructions: "Which?", criteria: { billing: "Money", support: null } },
        mood: { type: "score", instructions: "How?", criteria: ["calm", "angry"] },
      },
      maxRetries: 0,
    });
    const { urgent, team, mood } = answers;
    expect(urgent.probability === 0.75 && team.choice === "support" && mood.score === 0.9, answers);
  });
}
