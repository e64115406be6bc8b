/** Answers in OpenAI's shape. */
import { z } from "zod";
import { NativeApi, nativeRuntime, object, type Sent, text } from "../answers/wire-types.js";
import { ResponseUsage } from "../responses/wire-response.js";

const probability = z.number().min(0).max(1);
const value = z.union([z.string(), z.boolean()]);

const answer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("predicate"), name: text, probability }),
  z.object({
    type: z.literal("choice"),
    name: text,
    choice: value.describe("The likeliest."),
    probabilities: z.array(z.object({ value, probability })).describe("Of every value. They sum to 1."),
    confidence: probability.describe("How far the probabilities are from equal ones."),
  }),
  z.object({
    type: z.literal("score"),
    name: text,
    score: z.number().describe("The mean of the levels, the lowest being 0."),
    probabilities: z
      .array(z.object({ value: z.number(), label: z.string(), probability }))
      .describe("Of every level. They sum to 1."),
    confidence: probability.describe("How near to the likeliest level the probabilities are."),
  }),
  z
    .object({ type: z.literal("refusal"), name: text })
    .describe("The model declined to answer this question."),
]);

/** The answers have OpenAI's fields alone. */
export const Decision = z.object({
  model: z.string().describe("The model that ran."),
  answers: z.array(answer),
  usage: ResponseUsage.describe("Zeros where Codex reported none."),
  native_api: NativeApi.extend({
    decisions: object("How the probabilities were found.", {
      method: z.literal("stated").describe("The model wrote them down; they are not those of its tokens."),
    }),
  }),
  native_runtime: nativeRuntime,
});
export type DecisionBody = Sent<typeof Decision>;
