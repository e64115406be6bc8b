/** Parts of messages and of tool outputs, checked. Files of text become text on the way. */
import { z } from "zod";
import { inlineFile } from "../attachments/input-file.js";
import { findImageFault } from "../attachments/input-image.js";
import { longText } from "../requests/long-text.js";

const inputText = z.looseObject({ type: z.literal("input_text"), text: longText });
const outputText = z.looseObject({ type: z.literal("output_text"), text: longText });
const refusal = z.looseObject({ type: z.literal("refusal"), refusal: longText });

const inputImage = z
  .looseObject({
    type: z.literal("input_image"),
    image_url: z.string().nullish(),
    file_id: z.string().nullish(),
    detail: z.enum(["auto", "low", "high", "original"]).nullish(),
  })
  .superRefine(({ image_url: url, file_id: fileId }, context) => {
    const refuse = (field: string, message: string, unsupported: boolean) =>
      context.addIssue({ code: "custom", path: [field], message, params: { unsupported } });
    if (typeof fileId === "string") {
      refuse("file_id", "is not supported: this server stores no files, so send the image inline", true);
    } else if (typeof url !== "string") {
      refuse("image_url", "is missing", false);
    } else {
      const fault = findImageFault(url);
      if (fault !== null) refuse("image_url", fault.message, fault.unsupported);
    }
  });

const inputFile = z
  .looseObject({
    type: z.literal("input_file"),
    file_data: z.string().nullish(),
    file_id: z.string().nullish(),
    file_url: z.string().nullish(),
    filename: z.string().nullish(),
  })
  .transform((file, context) => {
    const inlined = inlineFile(file);
    if (inlined.ok) return { type: "input_text" as const, text: inlined.text };
    const { field, message, unsupported } = inlined;
    context.addIssue({ code: "custom", path: [field], message, params: { unsupported } });
    return z.NEVER;
  });

export const messagePart = z.discriminatedUnion("type", [
  inputText,
  outputText,
  inputImage,
  inputFile,
  refusal,
]);

export const outputPart = z.discriminatedUnion("type", [inputText, inputImage, inputFile]);

/** What a function answered. */
export const callOutput = z.union([longText, z.array(outputPart)]);
