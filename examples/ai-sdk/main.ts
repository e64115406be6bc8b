/**
 * Vercel's AI SDK: the model calls a tool until it can answer, and the answer is shown as it comes.
 *
 *   node build/examples/ai-sdk/main.js "What should I wear in Rome and in Oslo?"
 */
import { createOpenAI } from "@ai-sdk/openai";
import { stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const baseURL = process.env.CODEX_NATIVE_API_BASE_URL ?? "http://127.0.0.1:43182/v1";
// The key is looked at only if the service has a token.
const apiKey = process.env.OPENAI_API_KEY ?? "local";
const openai = createOpenAI({ baseURL, apiKey });

/** Which models there are is up to Codex; the first of them is its own choice. */
async function firstModel(): Promise<string> {
  const response = await fetch(`${baseURL}/models`, { headers: { authorization: `Bearer ${apiKey}` } });
  if (!response.ok) throw new Error(`${baseURL}/models: ${response.status} ${await response.text()}`);
  const models = z.object({ data: z.array(z.object({ id: z.string() })).min(1) });
  return models.parse(await response.json()).data[0]?.id ?? "";
}

const weather = tool({
  description: "The weather in a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => ({ city, sky: "clear", celsius: 8 + city.length }),
});

const { fullStream } = streamText({
  model: openai(await firstModel()),
  system: "Answer in one sentence.",
  prompt: process.argv.slice(2).join(" ") || "What should I wear in Rome and in Oslo?",
  tools: { weather },
  stopWhen: stepCountIs(5),
});
for await (const part of fullStream) {
  if (part.type === "tool-result") process.stdout.write(`weather  ${JSON.stringify(part.output)}\n`);
  if (part.type === "text-delta") process.stdout.write(part.text);
  if (part.type === "error") throw part.error;
}
process.stdout.write("\n");
