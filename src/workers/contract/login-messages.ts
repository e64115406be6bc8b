/** What travels between the main thread and the one that runs a login. */
import type { SpawnSpec } from "./endpoint.js";

/** The thread's data. */
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

/** Main thread to login thread. */
export interface LoginInput {
  readonly type: "cancel";
}

/** Login thread to main thread; `ended` is the last one. */
export type LoginOutput =
  | { readonly type: "code"; readonly code: DeviceCode }
  | { readonly type: "ended"; readonly outcome: LoginOutcome };
