/** One and the same request reaches the backend in forms that differ between versions of Codex. Tests read them here. */
import type { Test } from "tap";
import { lacks } from "./codex-version.js";
import { offeredTools as allOfferedTools, type RecordedModelRequest } from "./offline-backend/index.js";
import type { JsonObject } from "./offline-backend/json.js";

/** The tools that the model was offered on the caller's behalf: without `tool_free_turns` Codex adds one of its own. */
export function offeredTools(request: RecordedModelRequest | undefined): readonly JsonObject[] {
  const tools = request === undefined ? [] : allOfferedTools(request);
  return lacks("tool_free_turns") === null ? tools : tools.filter(({ name }) => name !== "update_plan");
}

/**
 * All messages that the model saw. Up to 0.160 Codex sends instructions as such, since then as a message of their own; by Responses Lite
 * functions are offered in an item, which is left out here.
 */
export function seenInput(request: RecordedModelRequest | undefined): readonly JsonObject[] {
  const { instructions } = request?.body ?? {};
  const input = (request?.fullInput ?? []).filter(({ type }) => type !== "additional_tools");
  if (typeof instructions !== "string" || instructions === "") return input;
  return [
    { type: "message", role: "developer", content: [{ type: "input_text", text: instructions }] },
    ...input,
  ];
}

/** The model call of an interrupted turn ends with it, where Codex can do that. */
export async function checkInterrupted(t: Test, request: RecordedModelRequest | undefined): Promise<void> {
  if (lacks("upstream_interrupt") === null) t.equal(await request?.closed, "client-closed");
}
