import type { TurnErrorCode } from "../contract/errors.js";
import type { TurnOutcome } from "../contract/turn-messages.js";
import { describeFailure, type NativeTurnError } from "./turn-failure.js";
import { readUpstreamWords } from "./upstream-words.js";

/** What no retry of Codex's mends. */
const finalCodes: ReadonlySet<TurnErrorCode> = new Set<TurnErrorCode>([
  "upstream_bad_request",
  "upstream_forbidden",
  "model_not_found",
  "native_login_required",
  "content_policy_violation",
  "context_length_exceeded",
]);

/**
 * Notices of a missing network after which a turn is ended. Codex sends one at once, then after 5, 15, 35 seconds, and goes on
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
      // After refused upgrades Codex goes on without a WebSocket.
      return null;
    }
    const failure = describeFailure({ message: details, codexErrorInfo: error.codexErrorInfo });
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
    return {
      status: "failed",
      error: { code: "upstream_connection_failed", message: "The model backend cannot be reached." },
    };
  }
}
