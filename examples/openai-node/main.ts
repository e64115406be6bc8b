/**
 * OpenAI's own client: an answer as it comes, a second question on top of it, an answer of a given shape, and a completion.
 *
 *   node build/examples/openai-node/main.js "Could you open the garage?"
 */
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const client = new OpenAI({
  baseURL: process.env.CODEX_NATIVE_API_BASE_URL ?? "http://127.0.0.1:43182/v1",
  // Looked at only if the service has a token.
  apiKey: process.env.OPENAI_API_KEY ?? "local",
});

const Intent = z.object({ intent: z.enum(["question", "command", "smalltalk"]) });

const input = process.argv.slice(2).join(" ") || "Could you open the garage?";
const say = (words: string) => process.stdout.write(words);

// No model is named: the service takes its default.
say("answer      ");
const stream = client.responses.stream({ instructions: "Answer in one sentence.", input });
stream.on("response.output_text.delta", ({ delta }) => say(delta));
const answer = await stream.finalResponse();
say("\n");

const more = await client.responses.create({
  previous_response_id: answer.id,
  input: "Say that in three words.",
});
say(`in short    ${more.output_text}\n`);

const parsed = await client.responses.parse({
  instructions: "Classify the intent of the user's message.",
  input,
  text: { format: zodTextFormat(Intent, "intent") },
});
say(`intent      ${parsed.output_parsed?.intent}\n`);

const completion = await client.chat.completions.create({
  model: answer.model,
  messages: [
    { role: "system", content: "Answer in one sentence." },
    { role: "user", content: input },
  ],
});
say(`completion  ${completion.choices[0]?.message.content}\n`);
