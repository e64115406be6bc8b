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

/** Compares the caller's token with the configured ones, in a time that reveals nothing about them. */
export class TokenAuth {
  /** Only digests are kept. All have the same length, whatever the tokens are. */
  readonly #known: readonly { readonly token: NamedToken; readonly digest: Buffer }[];

  constructor(tokens: readonly NamedToken[]) {
    this.#known = tokens.map((token) => ({ token, digest: Buffer.from(token.sha256, "hex") }));
  }

  /**
   * The configured token that the caller sent; null where none is needed.
   *
   * @throws CodexNativeApiError `invalid_auth_token`.
   */
  check(headers: IncomingHttpHeaders): NamedToken | null {
    if (this.#known.length === 0) return null;
    const presented = presentedToken(headers);
    if (presented === null) throw refuse("The token is missing: send 'Authorization: Bearer <token>'.");
    const found = this.#find(presented);
    if (found === null || !isStrongEnough(found, presented))
      throw refuse("This service does not know the token.");
    if (found.disabled) throw refuse("The token is switched off.");
    return found;
  }

  /** Compares all tokens, even after a match, so that the time is always the same. */
  #find(presented: string): NamedToken | null {
    const digest = digestOf(presented);
    let found: NamedToken | null = null;
    for (const known of this.#known) {
      if (timingSafeEqual(digest, known.digest)) found = known.token;
    }
    return found;
  }
}

function refuse(message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_auth_token", message);
}

/** A named token is configured by its digest, which hides its length: a short one is found out here. */
function isStrongEnough({ name }: NamedToken, presented: string): boolean {
  return name === defaultTokenName || presented.length >= minStrongTokenChars;
}

/** Has `error` only for a token that was sent and is wrong (RFC 6750). */
export function describeChallenge(headers: IncomingHttpHeaders): string {
  const realm = 'Bearer realm="codex-native-api"';
  return presentedToken(headers) === null ? realm : `${realm}, error="invalid_token"`;
}

/**
 * Identifies the caller, for fairness between callers. Where no token is needed, different tokens still mean different programs: OpenAI's
 * clients always send one. Without a token each connection is a caller.
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

/** The token of the `Authorization` header, right or wrong; null where there is none. */
export function presentedToken(headers: IncomingHttpHeaders): string | null {
  return bearer.exec(headers.authorization ?? "")?.[1] ?? null;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Who may call, from where. */
export interface AccessOptions {
  /** Bearer token for all but `/livez` and `/readyz`, without limits of its own; null: there is none. */
  readonly authToken: string | null;
  /** Tokens with a name and limits of their own. Without any token callers need none, which only a loopback `host` allows. */
  readonly tokens?: readonly NamedToken[];
  /** Host names accepted beside loopback's and the address of the socket. */
  readonly allowedHosts: readonly string[];
  /** Origins that may call, such as `https://app.example` or `app://obsidian.md`; any other text is ignored. */
  readonly allowedOrigins: readonly string[];
}

/** All checks of who may call, as one object, so that a reload replaces all of them or none. */
export class AccessPolicy {
  readonly auth: TokenAuth;
  readonly guard: OriginGuard;
  readonly #activeNames: ReadonlySet<string>;

  /** @throws TypeError if `host` can be reached from other machines and there is no token, or a short one. */
  constructor(host: string, options: AccessOptions) {
    const tokens = listTokens(host, options);
    this.auth = new TokenAuth(tokens);
    this.guard = new OriginGuard(host, options);
    this.#activeNames = new Set(tokens.filter(({ disabled }) => !disabled).map(({ name }) => name));
  }

  /**
   * The token of a request that these rules let in; null where none is needed.
   *
   * @throws CodexNativeApiError as `guard` and `auth` do.
   */
  admit(headers: IncomingHttpHeaders, localAddress: string | undefined): NamedToken | null {
    this.guard.check(headers, localAddress);
    return this.auth.check(headers);
  }

  /**
   * Names of the tokens that another policy removes or switches off. A name that only has another token there is still the same
   * caller.
   */
  namesWithdrawnBy(next: AccessPolicy): readonly string[] {
    return [...this.#activeNames].filter((name) => !next.#activeNames.has(name));
  }
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
