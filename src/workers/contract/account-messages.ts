/** What travels between the main thread and the one that asks about the account. */
import type { SpawnSpec } from "./endpoint.js";
import type { AccountAnswer, RateLimits } from "./native-queries.js";

/** The thread's data. */
export interface AccountTask {
  /** An app-server on stdio that can reach the account's backend. */
  readonly spawn: SpawnSpec;
  readonly clientVersion: string;
  /** Who is logged in, with the plan's windows, or no more than that Codex reads an organisation's configuration. */
  readonly wants: "account" | "managed_configuration";
  /** For everything together. */
  readonly timeoutMs: number;
}

export type AccountOutcome =
  | {
      readonly status: "answered";
      readonly account: AccountAnswer;
      /** Null where the account has none, or they could not be read. */
      readonly rateLimits: RateLimits | null;
    }
  /** Codex has what the account's organisation demands, or knows that there is nothing. */
  | { readonly status: "configured" }
  /** `message` is for people. */
  | { readonly status: "failed"; readonly message: string };

/** Main thread to account thread: ends the app-server and answers at once. */
export interface AccountInput {
  readonly type: "cancel";
}
