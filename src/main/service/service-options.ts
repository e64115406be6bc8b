import type { Logger } from "pino";
import type { CodexNativeApiConfig } from "../config/types.js";
import type { CodexNativeApiContinuationRegistry } from "../continuation/types.js";

/** What a `CodexNativeApiService` is made of; only `config` is needed. */
export interface CodexNativeApiServiceOptions {
  /** From `createConfig`. With `enabled: false`, `start` does nothing and says so. */
  readonly config: CodexNativeApiConfig;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /**
   * Variables that Codex's own are taken from, by an allow-list: PATH to find it, HOME, proxies, certificates, and the keys
   * that configured model providers name. Default: none. The process's environment is not read: pass `process.env` to have it.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The host's name of the provider profile that turns run under. Default `openai-default`. */
  readonly providerProfileId?: string;
  /**
   * The only Codex account (its ChatGPT account id) that turns may run under: while another is logged in, they are refused with
   * `native_login_required`. Default: whichever is logged in.
   */
  readonly accountId?: string;
  /**
   * Where responses are stored. The host's own outlives restarts of the service, and stays the host's to start and close.
   * Default: in memory within `config.continuation`, anew at each start.
   */
  readonly registry?: CodexNativeApiContinuationRegistry;
}
