/** Which texts of an organisation, or of the machine's administrator, Codex puts before the caller's items. */
import type { AppServerConnection } from "./app-server/connection.js";
import type { CallOptions } from "./app-server/pending-calls.js";

/** Layers of the configuration that are the user's own, or this service's. All others are set by somebody above the user. */
const ownLayers: ReadonlySet<string> = new Set(["user", "project", "sessionFlags"]);

/** By the name of the key that brings them; empty where there are none. Codex answers by what it has read already. */
export async function readManagedTexts(
  connection: Pick<AppServerConnection, "call">,
  options: CallOptions,
): Promise<readonly string[]> {
  const [{ config, origins }, { requirements }] = await Promise.all([
    connection.call("config/read", {}, options),
    connection.call("configRequirements/read", null, options),
  ]);
  const layer = origins.developer_instructions?.name.type;
  const isManaged = layer !== undefined && !ownLayers.has(layer);
  return [
    ...(isManaged && hasText(config.developer_instructions) ? ["developer_instructions"] : []),
    ...(hasText(requirements?.additionalDeveloperInstructions ?? null)
      ? ["additional_developer_instructions"]
      : []),
  ];
}

function hasText(text: string | null): boolean {
  return text !== null && text.trim() !== "";
}
