import { z } from "zod";
import { nativeApi } from "./native-api.js";

export const model = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.number().describe("Always 0: Codex's catalog does not say."),
  owned_by: z.string(),
  native_api: nativeApi.extend({
    display_name: z.string(),
    description: z.string(),
    is_default: z.boolean(),
    default_reasoning_effort: z.string().nullable(),
    supported_reasoning_efforts: z.array(z.string()),
    input_modalities: z.array(z.string()),
    service_tiers: z.array(z.string()),
  }),
});

export const modelList = z.object({
  object: z.literal("list"),
  data: z.array(model),
  native_api: nativeApi,
});
