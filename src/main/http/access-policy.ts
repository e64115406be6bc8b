import { minStrongTokenChars, type NamedToken, nameDefaultToken } from "../config/named-token.js";
import { isLoopbackHost } from "../config/network-names.js";
import { TokenAuth } from "./auth.js";
import { OriginGuard } from "./origin-guard.js";

/** Who may call, from where. */
export interface AccessOptions {
  /** Bearer token for all but `/livez` and `/readyz`, without limits of its own; null: there is none. */
  readonly authToken: string | null;
  /** Tokens with a name and limits of their own. Without any token nobody needs one, which only a loopback `host` may. */
  readonly tokens?: readonly NamedToken[];
  /** Host names taken beside loopback's and the address of the socket. */
  readonly allowedHosts: readonly string[];
  /** Origins that may call, such as `https://app.example` or `app://obsidian.md`; any other text is passed over. */
  readonly allowedOrigins: readonly string[];
}

/** What decides who may come in, as one thing, so that a reload replaces all of it or nothing. */
export class AccessPolicy {
  readonly #host: string;
  #tokens: readonly NamedToken[];
  #auth: TokenAuth;
  #guard: OriginGuard;

  /** @throws TypeError if `host` can be reached from other machines and there is no token, or a short one. */
  constructor(host: string, options: AccessOptions) {
    this.#host = host;
    this.#tokens = listTokens(host, options);
    this.#auth = new TokenAuth(this.#tokens);
    this.#guard = new OriginGuard({ host, ...options });
  }

  get auth(): TokenAuth {
    return this.#auth;
  }

  get guard(): OriginGuard {
    return this.#guard;
  }

  /**
   * Takes other tokens and names from here on. Answers with the names that were taken away or switched off: a name that only
   * has another token now is still the same caller.
   *
   * @throws TypeError as the constructor does, and then nothing has changed.
   */
  replace(options: AccessOptions): readonly string[] {
    const next = new AccessPolicy(this.#host, options);
    const valid = new Set(next.#tokens.filter(isInForce).map(nameOf));
    const withdrawn = this.#tokens
      .filter(isInForce)
      .map(nameOf)
      .filter((name) => !valid.has(name));
    this.#tokens = next.#tokens;
    this.#auth = next.#auth;
    this.#guard = next.#guard;
    return withdrawn;
  }
}

function isInForce({ disabled }: NamedToken): boolean {
  return !disabled;
}

function nameOf({ name }: NamedToken): string {
  return name;
}

function listTokens(host: string, { authToken, tokens = [] }: AccessOptions): readonly NamedToken[] {
  const all = authToken === null ? tokens : [nameDefaultToken(authToken), ...tokens];
  if (isLoopbackHost(host)) return all;
  if (all.length === 0) throw new TypeError(`Refusing to listen on ${host} without an authToken.`);
  if (authToken !== null && authToken.length < minStrongTokenChars) {
    throw new TypeError(
      `Refusing to listen on ${host} with an authToken of less than ${minStrongTokenChars} characters.`,
    );
  }
  return all;
}
