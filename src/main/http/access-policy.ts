import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import {
  defaultTokenName,
  minStrongTokenChars,
  type NamedToken,
  nameDefaultToken,
} from "../config/named-token.js";
import { isLoopbackHost } from "../config/network-names.js";
import { CodexNativeApiError } from "../errors.js";
import { OriginGuard } from "./origin-guard.js";

const bearer = /^bearer +(\S+) *$/i;

/** Compares the caller's token with those configured, in a time that tells nothing about any of them. */
export class TokenAuth {
  /** Digests have one length, whatever the tokens are, and only they are kept. */
  readonly #known: readonly { readonly token: NamedToken; readonly digest: Buffer }[];

  constructor(tokens: readonly NamedToken[]) {
    this.#known = tokens.map((token) => ({ token, digest: Buffer.from(token.sha256, "hex") }));
  }

  /**
   * Whose token it is; null where none is needed.
   *
   * @throws CodexNativeApiError `invalid_auth_token`.
   */
  check(headers: IncomingHttpHeaders): NamedToken | null {
    if (this.#known.length === 0) return null;
    const presented = presentedToken(headers);
    if (presented === null) {
      throw new CodexNativeApiError(
        "invalid_auth_token",
        "No token was given: send it as 'Authorization: Bearer <token>'.",
      );
    }
    const found = this.#find(presented);
    if (found === null || !isStrongEnough(found, presented)) {
      throw new CodexNativeApiError("invalid_auth_token", "The token given is not this server's.");
    }
    if (found.disabled) {
      throw new CodexNativeApiError("invalid_auth_token", "The token given has been switched off.");
    }
    return found;
  }

  /** Goes through all of them, also past the one that matches. */
  #find(presented: string): NamedToken | null {
    const digest = digestOf(presented);
    let found: NamedToken | null = null;
    for (const known of this.#known) {
      if (timingSafeEqual(digest, known.digest)) found = known.token;
    }
    return found;
  }
}

/** Of a token that is only known by its digest nobody could see how short it is. */
function isStrongEnough({ name }: NamedToken, presented: string): boolean {
  return name === defaultTokenName || presented.length >= minStrongTokenChars;
}

/** `error` is there only for a token that was given and is wrong (RFC 6750). */
export function describeChallenge(headers: IncomingHttpHeaders): string {
  const realm = 'Bearer realm="codex-native-api"';
  return presentedToken(headers) === null ? realm : `${realm}, error="invalid_token"`;
}

/**
 * Who asks, for fairness between callers. Also where no token is needed, programs tell themselves apart by theirs, since
 * OpenAI's clients always send one; without any, each connection is a caller.
 */
export function identifyCaller(
  headers: IncomingHttpHeaders,
  socket: Socket,
  token: NamedToken | null,
): string {
  if (token !== null) return `token:${token.name}`;
  const presented = presentedToken(headers);
  if (presented !== null) return `unchecked:${digestOf(presented).toString("hex", 0, 8)}`;
  return `connection:${socket.remoteAddress ?? "?"}:${socket.remotePort ?? "?"}`;
}

function presentedToken(headers: IncomingHttpHeaders): string | null {
  return bearer.exec(headers.authorization ?? "")?.[1] ?? null;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

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
