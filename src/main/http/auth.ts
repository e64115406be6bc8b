import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { CodexNativeApiError } from "../errors.js";

const bearer = /^bearer +(\S+) *$/i;

/** Compares the caller's token with the one configured, in a time that tells nothing about either. */
export class TokenAuth {
  /** Digests have one length, whatever the tokens are, and only they are kept. */
  readonly #digest: Buffer | null;

  constructor(token: string | null) {
    this.#digest = token === null ? null : digestOf(token);
  }

  /** @throws CodexNativeApiError `invalid_auth_token`. */
  check(headers: IncomingHttpHeaders): void {
    if (this.#digest === null) return;
    const token = presentedToken(headers);
    if (token === null) {
      throw new CodexNativeApiError(
        "invalid_auth_token",
        "No token was given: send it as 'Authorization: Bearer <token>'.",
      );
    }
    if (!timingSafeEqual(digestOf(token), this.#digest)) {
      throw new CodexNativeApiError("invalid_auth_token", "The token given is not this server's.");
    }
  }
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
export function identifyCaller(headers: IncomingHttpHeaders, socket: Socket): string {
  const token = presentedToken(headers);
  if (token !== null) return `token:${digestOf(token).toString("hex", 0, 8)}`;
  return `connection:${socket.remoteAddress ?? "?"}:${socket.remotePort ?? "?"}`;
}

function presentedToken(headers: IncomingHttpHeaders): string | null {
  return bearer.exec(headers.authorization ?? "")?.[1] ?? null;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
