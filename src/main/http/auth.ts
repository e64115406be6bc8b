import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { defaultTokenName, minStrongTokenChars, type NamedToken } from "../config/named-token.js";
import { CodexNativeApiError } from "../errors.js";

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
