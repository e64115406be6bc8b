import type { TokenEntry } from "./token-entries.js";
import type { AuthConfig, CodexNativeApiConfig } from "./types.js";

type Optional<T> = { readonly [K in keyof T]?: NonNullable<T[K]> | undefined };
type OptionalGroups<T> = {
  readonly [K in keyof T]?: (T[K] extends object ? Optional<T[K]> : T[K]) | undefined;
};

/**
 * Settings that a host program gives, in the shape of the config file; what is left out or undefined has its default
 * (docs/configuration.md). Relative paths start from the working directory.
 */
export interface CodexNativeApiSettings
  extends OptionalGroups<Omit<CodexNativeApiConfig, "appServer" | "auth" | "logLevel" | "logFormat">> {
  readonly auth?:
    | (Optional<Omit<AuthConfig, "tokens">> & {
        /** File that holds the bearer token and nothing else; refused when others may read it. */
        readonly tokenFile?: string | undefined;
        /** Callers with a token and limits of their own. */
        readonly tokens?: readonly TokenEntry[] | undefined;
        /** File that holds such a list and nothing else; refused when others may read it. */
        readonly tokensFile?: string | undefined;
      })
    | undefined;
  /** One of our own processes for all workers (default) or one for each, or the address of one that is not ours to stop. */
  readonly appServer?: "shared" | "stdio" | `unix://${string}` | `ws://${string}` | undefined;
}
