import { z } from "zod";
import { errorKinds } from "../../../errors.js";

const types = [...new Set(Object.values(errorKinds).map(({ type }) => type))];

/** Wider than what is sent today: clients must be ready for a code or a type that they do not know. */
export const apiError = z.object({
  error: z.object({
    message: z.string().describe("For people. It may change; branch on `code`."),
    type: z
      .string()
      .describe(`OpenAI's error type. Today: ${types.map((type) => `\`${type}\``).join(", ")}.`),
    param: z.string().nullable().describe("Path of the field at fault, such as `input[2].content[0].type`."),
    code: z.string().describe("Stable. Each has a heading in docs/errors.md."),
  }),
});
