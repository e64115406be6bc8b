/** Tokens of callers: what configuration and listener both need. */
import { createHash } from "node:crypto";

/** A token with a name and limits of its own. */
export interface NamedToken {
  /** The token's owner, for logs, metrics and fairness: letters, digits, `.`, `_` and `-`, at most 64. */
  readonly name: string;
  /** SHA-256 of the token in lower-case hex. The token itself is not kept. */
  readonly sha256: string;
  /** Ids of the models it may use, first the one for requests that name none; null: every model. */
  readonly models: readonly string[] | null;
  /** Limit of concurrent turns, waiting ones included; null: only that of the service. */
  readonly maxConcurrentTurns: number | null;
  /** `background`: all of its turns wait for interactive ones. */
  readonly priority: "interactive" | "background";
  /** True: refused like an unknown token. */
  readonly disabled: boolean;
}

/** The name of the token that has no settings of its own (`auth.token`). */
export const defaultTokenName = "default";

/** Everyone who reaches the port can try tokens, and could guess a shorter one. */
export const minStrongTokenChars = 16;

/** Whether an Authorization header can carry it unchanged. */
export function isTokenText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** Whether a log line and a metric's label can carry it. */
export function isTokenName(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]{0,63}$/.test(text);
}

export function digestToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** `auth.token` in the form of a named token without limits. */
export function nameDefaultToken(token: string): NamedToken {
  return {
    name: defaultTokenName,
    sha256: digestToken(token),
    models: null,
    maxConcurrentTurns: null,
    priority: "interactive",
    disabled: false,
  };
}
