/** The parts of a turn that every dialect asks for in the same way. */
import type { z } from "zod";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import type { IsolatedTurnRequest } from "../../runtime/types.js";
import type { Obligation } from "../answers/obligations.js";
import type { FormatMapping } from "../structured-output/text-format.js";
import { toNativeTool, toWebSearchOptions } from "../tools/native-tool.js";
import type { OfferedTools } from "../tools/tool-choice.js";
import { isGiven, type metadata } from "./fields.js";

type Part = Omit<IsolatedTurnRequest, "items">;

type Optional<T> = T | null | undefined;

/** Parameters that dialects share, under the names that they have there. */
interface SharedSettings {
  readonly model?: Optional<string>;
  readonly priority?: Optional<NonNullable<Part["priority"]>>;
  readonly verbosity?: Optional<NonNullable<Part["verbosity"]>>;
  readonly service_tier?: Optional<string>;
  readonly metadata?: Optional<z.infer<typeof metadata>>;
}

export function toSettings(asked: SharedSettings): Part {
  const { model, priority, verbosity, service_tier: tier, metadata } = asked;
  const bridge = metadata?.codexbridge;
  return {
    ...(isGiven(model) && { model }),
    ...(isGiven(priority) && { priority }),
    ...(isGiven(verbosity) && { verbosity }),
    // `auto` means what happens when nothing is said, `default` the ordinary tier, whatever the model's name stands for.
    ...(isGiven(tier) && tier !== "auto" && { serviceTier: tier === "default" ? null : tier }),
    ...(isJsonObject(bridge) && typeof bridge.taskClass === "string" && { taskClass: bridge.taskClass }),
  };
}

/** Whether a chat bridge asks, which reads the first text of an answer as the answer. */
export function isBridgeTask({ metadata }: Pick<SharedSettings, "metadata">): boolean {
  return isJsonObject(metadata?.codexbridge);
}

/** What of a chat bridge's request concerns more than its items. */
export interface BridgeTask {
  /** What the bridge says about the task for the model, as one text. Only a turn that may read files has it. */
  readonly promptContext: string | null;
  /** Whether the caller's choice leaves room for a tool of the service's own. */
  readonly allowsTools: boolean;
}

/** Null where no chat bridge asks. */
export function readBridgeTask(
  asked: Pick<SharedSettings, "metadata">,
  toolChoice: unknown,
): BridgeTask | null {
  const bridge = asked.metadata?.codexbridge;
  if (!isJsonObject(bridge)) return null;
  const context = isJsonObject(bridge.eventMetadata) ? bridge.eventMetadata.developerPromptContext : null;
  return {
    promptContext: isGiven(context)
      ? typeof context === "string"
        ? context
        : JSON.stringify(context)
      : null,
    allowsTools: !isGiven(toolChoice) || toolChoice === "auto" || toolChoice === "required",
  };
}

/** What a chat bridge tells of its surroundings: a turn runs in none, so it is echoed and listed. Never refused, as no metadata is. */
export function listBridgeSurroundings(asked: Pick<SharedSettings, "metadata">): readonly string[] {
  if (!isBridgeTask(asked)) return [];
  return ["cwd", "locale"].filter((key) => isGiven(asked.metadata?.[key])).map((key) => `metadata.${key}`);
}

/** What of a turn comes from its tools and the format of its answer. */
export interface Capabilities {
  readonly request: Part;
  readonly obligations: readonly Obligation[];
}

export function toCapabilities(tools: OfferedTools, format: FormatMapping): Capabilities {
  const directives = [...tools.directives, format.directive]
    .filter(isGiven)
    // The caller's own `instructions` outrank these words of the service.
    .map((text) => textMessage("developer", text));
  return {
    request: {
      ...(tools.functions.length > 0 && { tools: tools.functions.map(toNativeTool) }),
      ...(tools.webSearch !== null && { webSearch: toWebSearchOptions(tools.webSearch) }),
      ...(format.outputSchema !== null && { outputSchema: format.outputSchema }),
      // No part of the conversation: they hold for this turn and are not stored.
      ...(directives.length > 0 && { directives }),
    },
    obligations: [...tools.obligations, ...format.obligations],
  };
}

export function textMessage(role: "user" | "developer", text: string): JsonObject {
  return { type: "message", role, content: [{ type: "input_text", text }] };
}
