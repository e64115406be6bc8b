/** External providers that speak the Responses API, such as a gateway that serves `POST /v1/responses` and no more. */
import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";
import { collectText, cutShort, readReply } from "./output-text.js";
import { judgeProviderCode, type ProviderApi } from "./provider-api.js";
import { RouteFailure } from "./route-failure.js";
import { readProviderResponse } from "./wire-answers.js";

export const responsesProvider: ProviderApi = {
  path: "/responses",
  accepts: (items) => toInput(items) !== null,
  /** Sends only what every such provider knows: no effort, no metadata, no model of Codex's catalog, no ids of items. */
  compose: ({ model, items, system, schema }): JsonObject => ({
    model,
    ...(system.length > 0 && { instructions: system.join("\n\n") }),
    input: toInput(items) ?? [],
    ...(schema !== null && { text: { format: { type: "json_schema", ...schema } } }),
    store: false,
    stream: false,
  }),
  read: (body) => {
    const response = readProviderResponse(body);
    if (response === null) return null;
    const { id, status, output, usage, model, error, incomplete_details: details } = response;
    switch (status) {
      case "completed":
        return { reply: readReply(output), responseId: id, usage, model };
      case "incomplete":
        throw cutShort(details?.reason ?? status, collectText(output));
      case "failed": {
        const code = error?.code ?? "internal_error";
        throw new RouteFailure(judgeProviderCode(code, 500), {
          code,
          message: error?.message ?? "The provider's response failed.",
        });
      }
      default:
        return null;
    }
  },
};

/** Null where the items hold something that only Codex's own backend would understand. */
function toInput(items: readonly JsonObject[]): readonly JsonObject[] | null {
  // Reasoning is encrypted for its own model: no other can read it, and none needs it.
  const input = items.filter(({ type }) => type !== "reasoning").map(toItem);
  return input.every((item) => item !== null) ? input : null;
}

function toItem(item: JsonObject): JsonObject | null {
  switch (item.type) {
    case "message": {
      const { role, content } = item;
      const parts = Array.isArray(content) ? content.map(toPart) : [null];
      // Gateways to other providers know the older role.
      const name = role === "developer" ? "system" : role;
      return parts.every((part) => part !== null) ? { type: "message", role: name, content: parts } : null;
    }
    case "function_call":
      return pick(item, ["type", "call_id", "name", "arguments"]);
    case "function_call_output":
      return typeof item.output === "string" ? pick(item, ["type", "call_id", "output"]) : null;
    default:
      return null;
  }
}

function toPart(part: unknown): JsonObject | null {
  if (!isJsonObject(part)) return null;
  if (part.type === "input_text" || part.type === "output_text") return pick(part, ["type", "text"]);
  return part.type === "input_image" ? pick(part, ["type", "image_url", "detail"]) : null;
}

function pick(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.filter((key) => object[key] !== undefined).map((key) => [key, object[key]]));
}
