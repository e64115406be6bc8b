/** A caller with a token of its own: what configuration and listener both have to know of it. */
import { createHash } from "node:crypto";

/** A token with a name and limits of its own. */
export interface NamedToken {
  /** Who the token was given to, for logs, metrics and fairness: letters, digits, `.`, `_` and `-`, at most 64. */
  readonly name: string;
  /** SHA-256 of the token in lower-case hex. The token itself is not kept. */
  readonly sha256: string;
  /** Ids of the models it may use, first the one for requests that name none; null: every model. */
  readonly models: readonly string[] | null;
  /** Turns it may have under way at once, those that wait included; null: as many as the service takes. */
  readonly maxConcurrentTurns: number | null;
  /** `background`: all of its turns let interactive ones go first. */
  readonly priority: "interactive" | "background";
  /** Cut off: refused as one that is not known. */
  readonly disabled: boolean;
}

/** The name of the one token that has no settings of its own (`auth.token`). */
export const defaultTokenName = "default";

/** A shorter one can be guessed by whoever reaches the port. */
export const minStrongTokenChars = 16;

/** What an Authorization header can carry unchanged. */
export function isTokenText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** A word that a log line and a metric's label can carry. */
export function isTokenName(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]{0,63}$/.test(text);
}

export function digestToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** The single token of a service as one of many: nothing bounds it. */
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
