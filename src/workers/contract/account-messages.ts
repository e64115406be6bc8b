/** What travels between the main thread and the two workers that ask about the account and log in to it. */
import type { SpawnSpec } from "./endpoint.js";
import type { AccountAnswer, RateLimits } from "./native-queries.js";

/** The data of the worker that asks about the account. */
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

/** Main thread to either worker: ends the app-server and answers at once. */
export interface AccountInput {
  readonly type: "cancel";
}

/** The data of the worker that logs in. */
export interface LoginTask {
  /** An app-server on stdio, on the user's own Codex home. */
  readonly spawn: SpawnSpec;
  readonly clientVersion: string;
}

export interface DeviceCode {
  readonly verificationUrl: string;
  readonly userCode: string;
}

export type LoginOutcome =
  | { readonly status: "done"; readonly email: string | null; readonly plan: string | null }
  | { readonly status: "cancelled" }
  /** `message` is for people. */
  | { readonly status: "failed"; readonly message: string };

/** Login worker to main thread; `ended` is the last one. */
export type LoginOutput =
  | { readonly type: "code"; readonly code: DeviceCode }
  | { readonly type: "ended"; readonly outcome: LoginOutcome };
