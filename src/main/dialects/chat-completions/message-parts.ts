/** Parts of messages, checked. Files of text become text on the way. */
import { z } from "zod";
import { inlineFile } from "../attachments/input-file.js";
import { findImageFault } from "../attachments/input-image.js";
import { longText } from "../requests/long-text.js";

const textPart = z.looseObject({ type: z.literal("text"), text: longText });
const refusalPart = z.looseObject({ type: z.literal("refusal"), refusal: longText });

const imagePart = z
  .looseObject({
    type: z.literal("image_url"),
    image_url: z.looseObject({
      url: z.string(),
      detail: z.enum(["auto", "low", "high"]).nullish(),
    }),
  })
  .superRefine(({ image_url: { url } }, context) => {
    const fault = findImageFault(url);
    if (fault === null) return;
    const { message, unsupported } = fault;
    context.addIssue({ code: "custom", path: ["image_url", "url"], message, params: { unsupported } });
  });

const filePart = z
  .looseObject({
    type: z.literal("file"),
    file: z.looseObject({
      file_data: z.string().nullish(),
      file_id: z.string().nullish(),
      filename: z.string().nullish(),
    }),
  })
  .transform(({ file }, context) => {
    const { file_data, file_id, filename } = file;
    const inlined = inlineFile({ file_data, file_id, filename });
    if (inlined.ok) return { type: "text" as const, text: inlined.text };
    const { field, message, unsupported } = inlined;
    context.addIssue({ code: "custom", path: ["file", field], message, params: { unsupported } });
    return z.NEVER;
  });

/** Of instructions, which OpenAI takes as text only. */
export const instructionPart = z.discriminatedUnion("type", [textPart]);

/** What a user, or a function, has to say. */
export const inputPart = z.discriminatedUnion("type", [textPart, imagePart, filePart]);

export const assistantPart = z.discriminatedUnion("type", [textPart, refusalPart]);

export type InputPart = z.infer<typeof inputPart>;
export type AssistantPart = z.infer<typeof assistantPart>;
