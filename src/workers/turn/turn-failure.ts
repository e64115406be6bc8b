import type { NativeTurnError as TurnError } from "../app-server/protocol.js";
import type { TurnErrorCode, TurnErrorData } from "../contract/errors.js";
import { isJsonObject } from "../contract/json.js";
import type { TurnOutcome } from "../contract/turn-messages.js";
import { failWith } from "./turn-endings.js";
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

/** What `turn/completed`, `error` or the answer to a call says of a failure. */
export type NativeTurnError = Pick<TurnError, "message"> & Partial<TurnError>;

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
    return failWith("internal_error", "Codex ended the turn without saying why.");
  }
  const reason = incomplete.exec(error.message)?.[1];
  if (reason !== undefined) return { status: "incomplete", reason };
  return { status: "failed", error: describeFailure(error) };
}

/** The error that Codex's text stands for. It may come without a kind, as the message of a refused call does. */
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

/** How Codex words a burst limit that came in the backend's stream, without a status; before 0.160 as a stream that broke. */
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
  const match = /\btry again in (\d{1,6}(?:\.\d{1,6})?) ?(ms|s|m)(?:econds?|inutes?)?\b/i.exec(words);
  const unitMs = { ms: 1, s: 1000, m: 60_000 }[match?.[2]?.toLowerCase() ?? ""];
  return match === null || unitMs === undefined ? null : Math.ceil(Number(match[1]) * unitMs);
}

/** Codex names a kind as a word, or as an object of one key that has the status. */
function readKind(info: unknown): { readonly kind: string | null; readonly status: number | null } {
  if (typeof info === "string") return { kind: info, status: null };
  if (!isJsonObject(info)) return { kind: null, status: null };
  const [kind, detail] = Object.entries(info)[0] ?? [null, null];
  const status = isJsonObject(detail) ? detail.httpStatusCode : null;
  return { kind, status: typeof status === "number" ? status : null };
}

/** Codes of refusals that no retry of Codex's mends. */
const finalCodes: ReadonlySet<TurnErrorCode> = new Set<TurnErrorCode>([
  "upstream_bad_request",
  "upstream_forbidden",
  "model_not_found",
  "native_login_required",
  "content_policy_violation",
  "context_length_exceeded",
]);

/**
 * Notices of a missing network after which a turn is ended. Codex sends one at once, then after 5, 15, 35 seconds, and so on
 * without an end. A turn that has shown something is worth more patience than one that its caller can send again.
 */
const noNetworkNotices = { nothingShown: 2, shown: 4 } as const;
const noNetwork = /waiting for network/i;

/** Judges Codex's notices that it asks the backend again: some retries are of no use, and some never end. */
export class RetryNotices {
  readonly #onConnectionRefused: () => void;
  #withoutNetwork = 0;

  /** `onConnectionRefused`: the backend refused an upgrade to a WebSocket as it does where there are too many. */
  constructor(onConnectionRefused: () => void = () => {}) {
    this.#onConnectionRefused = onConnectionRefused;
  }

  /** How to end the turn now; null where Codex's retry may help. */
  judge(error: NativeTurnError, hasShownOutput: boolean): TurnOutcome | null {
    const details = error.additionalDetails ?? "";
    if (noNetwork.test(error.message)) return this.#countMissingNetwork(hasShownOutput);
    this.#withoutNetwork = 0;
    if (details === "") return null;
    const { isUpgrade, status } = readUpstreamWords(details);
    if (isUpgrade) {
      if (status === 403 || status === 429) this.#onConnectionRefused();
      // After refused upgrades Codex continues without a WebSocket.
      return null;
    }
    const failure = describeFailure({ ...error, message: details });
    const isFinal = failure.upstreamStatus !== undefined && finalCodes.has(failure.code);
    // Codex would ask eleven times in half a minute; the queue knows when there is room.
    const isRefused = failure.code === "rate_limit_exceeded" && !hasShownOutput;
    return isFinal || isRefused ? { status: "failed", error: failure } : null;
  }

  /** The model was reached. */
  noteOutput(): void {
    this.#withoutNetwork = 0;
  }

  #countMissingNetwork(hasShownOutput: boolean): TurnOutcome | null {
    this.#withoutNetwork += 1;
    const { shown, nothingShown } = noNetworkNotices;
    if (this.#withoutNetwork < (hasShownOutput ? shown : nothingShown)) return null;
    return failWith("upstream_connection_failed", "The model backend cannot be reached.");
  }
}
