/**
 * LangChain: a chain whose answer comes piece by piece, and one whose answer has a given shape.
 *
 *   node build/examples/langchain/main.js "Could you open the garage?"
 */
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatOpenAI } from "@langchain/openai";
import OpenAI from "openai";
import { z } from "zod";

const baseURL = process.env.CODEX_NATIVE_API_BASE_URL ?? "http://127.0.0.1:43182/v1";
// The key is looked at only if the service has a token.
const apiKey = process.env.OPENAI_API_KEY ?? "local";

const Intent = z.object({ intent: z.enum(["question", "command", "smalltalk"]) });

/** Which models there are is up to Codex; the first of them is its own choice. */
async function firstModel(): Promise<string> {
  const { data } = await new OpenAI({ baseURL, apiKey }).models.list();
  return data[0]?.id ?? "";
}

const model = new ChatOpenAI({
  model: await firstModel(),
  apiKey,
  useResponsesApi: true,
  configuration: { baseURL },
});
const message = process.argv.slice(2).join(" ") || "Could you open the garage?";

const answer = ChatPromptTemplate.fromMessages([
  ["system", "Answer in one sentence."],
  ["human", "{message}"],
])
  .pipe(model)
  .pipe(new StringOutputParser());
process.stdout.write("answer  ");
for await (const piece of await answer.stream({ message })) process.stdout.write(piece);
process.stdout.write("\n");

const classify = ChatPromptTemplate.fromMessages([
  ["system", "Classify the intent of the user's message."],
  ["human", "{message}"],
]).pipe(model.withStructuredOutput(Intent, { name: "intent" }));
const { intent } = await classify.invoke({ message });
process.stdout.write(`intent  ${intent}\n`);
