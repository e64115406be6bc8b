import type { TurnErrorCode, TurnErrorData } from "../contract/errors.js";
import { isJsonObject } from "../contract/json.js";
import type { TurnOutcome } from "../contract/turn-messages.js";
import {
  codeOfRefreshStatus,
  codeOfUpgradeStatus,
  codeOfUpstreamStatus,
  codexErrorKinds,
  modelRefusals,
  networkFaults,
  policyRefusal,
  upstreamBodyCodes,
} from "./upstream-faults.js";
import { readUpstreamWords, type UpstreamWords } from "./upstream-words.js";

/** What `turn/completed` and `error` say of a failed turn. */
export interface NativeTurnError {
  readonly message: string;
  readonly codexErrorInfo?: unknown;
  readonly additionalDetails?: string | null | undefined;
}

const incomplete = /Incomplete response returned, reason: ([a-z_]+)/;

/**
 * Codex asks the model again, up to ten times, when its answer was stopped by a content filter, and tells it how to evade it. To
 * the caller that answer is final. The reason, where this notice is about one.
 */
export function readStoppedAnswer(error: NativeTurnError): string | null {
  return incomplete.exec(error.additionalDetails ?? "")?.[1] ?? null;
}

/** What a turn that Codex calls failed means to the caller. */
export function classifyFailure(error: NativeTurnError | null): TurnOutcome {
  if (error === null) {
    return {
      status: "failed",
      error: { code: "internal_error", message: "Codex ended the turn without saying why." },
    };
  }
  const reason = incomplete.exec(error.message)?.[1];
  if (reason !== undefined) return { status: "incomplete", reason };
  return { status: "failed", error: describeFailure(error) };
}

/** The error that this text of Codex's stands for; it may come without a kind, as the words of a refused call. */
export function describeFailure({ message, codexErrorInfo }: NativeTurnError): TurnErrorData {
  const { kind, status: toldStatus } = readKind(codexErrorInfo);
  const said = readUpstreamWords(message);
  const status = toldStatus ?? said.status;
  const code = codeOf(kind, status, said);
  const retryAfterMs = passing.has(code) ? readWait(said.words) : null;
  return {
    code,
    message: wordsFor(code, status, said),
    ...(said.param !== null && code === "upstream_bad_request" && { param: said.param }),
    ...(code === "model_not_found" && { param: "model" }),
    ...(retryAfterMs !== null && { retryAfterMs }),
    ...(status !== null && { upstreamStatus: status }),
    ...refusedForOf(code, said.words),
  };
}

/** A burst limit is the account's unless its words name a model; capacity is always the model's. */
function refusedForOf(code: TurnErrorCode, words: string): Pick<TurnErrorData, "refusedFor"> {
  if (code === "server_overloaded") return { refusedFor: "model" };
  if (code !== "rate_limit_exceeded") return {};
  return { refusedFor: burstLimitOfModel.test(words) ? "model" : "account" };
}

const burstLimitOfModel = /\bfor (?:model )?['"`]?(?:gpt-|o\d|codex)[\w.-]{0,60}/i;

function codeOf(kind: string | null, status: number | null, said: UpstreamWords): TurnErrorCode {
  const row = kind === null ? undefined : codexErrorKinds[kind];
  if (row !== undefined && row.byStatus !== true) return row.code;
  const byBody = said.code === null ? undefined : upstreamBodyCodes[said.code];
  if (byBody !== undefined) return byBody;
  if (said.isRefresh && status !== null) return codeOfRefreshStatus(status);
  if (said.isUpgrade && status !== null) return codeOfUpgradeStatus(status);
  if (status === null && burstLimit.test(said.words)) return "rate_limit_exceeded";
  if (status === null || refusals.has(status)) {
    if (modelRefusals.some((refusal) => refusal.test(said.words))) return "model_not_found";
    // A kind that this version does not know says by its name what it is about.
    if (policyRefusal.test(said.words) || (row === undefined && /polic/i.test(kind ?? ""))) {
      return "content_policy_violation";
    }
  }
  if (status !== null) return codeOfUpstreamStatus(status);
  if (networkFaults.some(({ words }) => words.test(said.words))) return "upstream_connection_failed";
  if (said.isBody) return "upstream_bad_request";
  return row?.code ?? "internal_error";
}

/** What is over after a while; a request that was refused for itself is refused again, whatever its words say. */
const passing: ReadonlySet<TurnErrorCode> = new Set([
  "rate_limit_exceeded",
  "usage_limit_reached",
  "server_overloaded",
  "upstream_connection_failed",
]);

/** How Codex words a burst limit that the backend told in its stream, where there is no status; before 0.160 as a stream that broke. */
const burstLimit = /^(?:stream disconnected before completion: )?rate limit (?:exceeded|reached)\b/i;

/** Statuses with which a request, its model or its content is refused. */
const refusals: ReadonlySet<number> = new Set([400, 403, 404, 422]);

function wordsFor(code: TurnErrorCode, status: number | null, said: UpstreamWords): string {
  const { words, reason, isRefresh, isUpgrade } = said;
  if (isRefresh) return `The login's token could not be refreshed: ${[status, reason].join(" ").trim()}.`;
  // A refused request is the caller's to read; of the rest it helps to know who said it.
  const isPlain = status === null || status === 400 || code === "model_not_found";
  if (isPlain && words !== "") return words;
  if (status === null) return `The model backend refused the request; ${noReason(code)}`;
  const asked = isUpgrade ? "The model backend refused a connection with" : "The model backend answered";
  const answer = [status, reason].filter((part) => part !== null).join(" ");
  return words === "" ? `${asked} ${answer}; ${noReason(code)}` : `${asked} ${answer}: ${words}`;
}

/** A body can be empty, and of some refusals Codex passes on the status alone. */
function noReason(code: TurnErrorCode): string {
  const advice = code === "native_login_required" ? " Log in again with `codex login`." : "";
  return `no reason came with it.${advice}`;
}

/** Backends that limit by the second say in words when to come again. */
function readWait(words: string): number | null {
  const match = /\btry again in (\d{1,6}(?:\.\d{1,6})?) ?(ms|s|seconds?|m|minutes?)\b/i.exec(words);
  const unitMs = waitUnitsMs[(match?.[2] ?? "").toLowerCase().replace(/(second|minute)s$/, "$1")];
  return match === null || unitMs === undefined ? null : Math.ceil(Number(match[1]) * unitMs);
}

const waitUnitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  second: 1000,
  m: 60_000,
  minute: 60_000,
};

/** Codex names a kind as a word, or as an object of one key that has the status. */
function readKind(info: unknown): { readonly kind: string | null; readonly status: number | null } {
  if (typeof info === "string") return { kind: info, status: null };
  if (!isJsonObject(info)) return { kind: null, status: null };
  const [kind, detail] = Object.entries(info)[0] ?? [null, null];
  const status = isJsonObject(detail) ? detail.httpStatusCode : null;
  return { kind, status: typeof status === "number" ? status : null };
}
