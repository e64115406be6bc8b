import { httpError } from "./http-errors.js";
import type { OpenModelRequest } from "./recorded-request.js";
import type { Reply } from "./reply.js";

/** A form of prompt that a backend takes; it refuses all others. */
export type DemandedForm = "lean" | "lean_lite" | "codex";

/** The refusals that the real backend was reported to give to a form that it does not take; nobody may go by their words. */
const refusals = {
  lean: httpError(400, {
    message: "This model is not supported when using X-OpenAI-Internal-Codex-Responses-Lite.",
  }),
  // anomalyco/opencode#36140
  lean_lite: httpError(404, { body: { detail: "Model not found" } }),
  codex: httpError(400, { body: { detail: "Instructions are not valid" } }),
} as const satisfies Record<DemandedForm, Reply>;

/** The refusal of a request that has not the form which is demanded. */
export function refuseOtherForm(record: OpenModelRequest, demanded: DemandedForm): Reply | undefined {
  const isTaken = demanded === "codex" ? hasCodexText(record) : isLite(record) === (demanded === "lean_lite");
  return isTaken ? undefined : refusals[demanded];
}

/** Codex says so in a header, or over a WebSocket beside the request. */
export function isLite({ headers, body }: Pick<OpenModelRequest, "headers" | "body">): boolean {
  const name = "x-openai-internal-codex-responses-lite";
  const told = body.client_metadata?.[`ws_request_header_${name.replaceAll("-", "_")}`];
  return (headers[name] ?? told) === "true";
}

function hasCodexText({ body, fullInput }: OpenModelRequest): boolean {
  const developers = fullInput.filter(({ role }) => role === "developer");
  return JSON.stringify([body.instructions, developers]).includes("You are Codex");
}
