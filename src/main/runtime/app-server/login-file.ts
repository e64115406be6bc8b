import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { isJsonObject } from "../../../workers/contract/json.js";

/** A login file as it was found. Writers truncate it, or remove it and put another in its place: neither is a logout. */
type Reading =
  /** `login` is null where the file holds none. */
  | { readonly state: "whole"; readonly login: string | null }
  | { readonly state: "broken" }
  | { readonly state: "missing" };

export interface SettleLoginOptions {
  readonly file: string;
  /** Whether a file that is missing is waited for: somebody was logged in. */
  readonly expectsLogin: boolean;
  /** How long a file that is broken, or missing, may take to become whole, in milliseconds. */
  readonly patienceMs: number;
  /** Aborting ends the wait. */
  readonly signal: AbortSignal;
}

/** Longer than any writer takes; a logout by hand is noticed so much later. */
export const loginPatienceMs = 5_000;
const pollMs = 100;

/**
 * Who is logged in, as a digest without the tokens (a token refresh is no other login); null for nobody. A file that is being
 * written is read again until it is whole; one that stays broken, or missing, for the time given is a logout.
 *
 * Rejects with the signal's reason.
 */
export async function settleLogin(options: SettleLoginOptions): Promise<string | null> {
  const { file, expectsLogin, patienceMs, signal } = options;
  for (let leftMs = patienceMs; ; leftMs -= pollMs) {
    const reading = await readLogin(file);
    signal.throwIfAborted();
    if (reading.state === "whole") return reading.login;
    if (leftMs <= 0 || (reading.state === "missing" && !expectsLogin)) return null;
    await delay(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function readLogin(file: string): Promise<Reading> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return { state: "missing" };
  }
  try {
    const content: unknown = JSON.parse(text);
    return isJsonObject(content) ? { state: "whole", login: describe(content) } : { state: "broken" };
  } catch {
    return { state: "broken" };
  }
}

function describe(content: Readonly<Record<string, unknown>>): string | null {
  const { auth_mode: mode, last_refresh: _refreshed, ...credentials } = content;
  if (Object.values(credentials).every((credential) => credential == null)) return null;
  const tokens = isJsonObject(content.tokens) ? content.tokens : {};
  const who = [mode, tokens.account_id, readSubject(tokens.id_token), content.OPENAI_API_KEY];
  return createHash("sha256")
    .update(JSON.stringify(who.map((part) => part ?? null)))
    .digest("hex");
}

function readSubject(idToken: unknown): unknown {
  if (typeof idToken !== "string") return null;
  try {
    const claims: unknown = JSON.parse(
      Buffer.from(idToken.split(".")[1] ?? "", "base64url").toString("utf8"),
    );
    if (!isJsonObject(claims)) return null;
    const { sub, email, "https://api.openai.com/auth": account } = claims;
    // Another plan has other rules: an app-server that was started for a person's must not go on for an organisation's.
    const plan = isJsonObject(account) ? account.chatgpt_plan_type : null;
    return [sub ?? null, email ?? null, plan ?? null];
  } catch {
    // No token of ours to judge; the account id says who it is.
    return null;
  }
}
