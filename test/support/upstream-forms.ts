/** One and the same request reaches the backend in forms that differ between versions of Codex. Tests read them here. */
import type { Test } from "tap";
import { lacks } from "./codex-version.js";
import type { RecordedModelRequest } from "./offline-backend/index.js";
import type { JsonObject } from "./offline-backend/json.js";

/** The tools that the model was offered on the caller's behalf: without `tool_free_turns` Codex adds one of its own. */
export function offeredTools(request: RecordedModelRequest | undefined): readonly JsonObject[] {
  const tools = Array.isArray(request?.body.tools) ? (request.body.tools as readonly JsonObject[]) : [];
  return lacks("tool_free_turns") === null ? tools : tools.filter(({ name }) => name !== "update_plan");
}

/** All that the model saw. Up to 0.160 Codex sends instructions as such, since then as a message of their own. */
export function seenInput(request: RecordedModelRequest | undefined): readonly JsonObject[] {
  const { instructions } = request?.body ?? {};
  const input = request?.fullInput ?? [];
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
