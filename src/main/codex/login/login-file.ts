import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { isJsonObject } from "../../../workers/contract/json.js";

/** Only this module reads Codex's login file. It exposes a digest and whose login it is, and no secrets. */
const loginSchema = z.looseObject({
  auth_mode: z.string().nullish(),
  OPENAI_API_KEY: z.string().nullish(),
  tokens: z
    .looseObject({
      account_id: z.string().nullish(),
      id_token: z.string().nullish(),
      access_token: z.string().nullish(),
    })
    .nullish(),
});

const claimsSchema = z.looseObject({
  sub: z.string().nullish(),
  email: z.string().nullish(),
  exp: z.number().nullish(),
  "https://api.openai.com/auth": z.looseObject({ chatgpt_plan_type: z.string().nullish() }).nullish(),
});

/** Whose ChatGPT login the file claims to be. These claims are not verified. */
export interface LoginClaims {
  readonly accountId: string | null;
  readonly email: string | null;
  readonly plan: string | null;
  /** When Codex must refresh the login, by the wall clock; null if the file does not say. */
  readonly expiresAtMs: number | null;
}

/** What a whole login file contains, as digests: no secret leaves this module. */
export interface LoginDigests {
  /** Whose login it is; null if there is none. A token refresh leaves it as it is. */
  readonly login: string | null;
  /** Its tokens, which each refresh and each login replaces; null if there are none. */
  readonly tokens: string | null;
}

/** State of the login file. Some writers truncate it or replace it, so `broken` or `missing` for a moment is not a logout. */
type Reading =
  | ({ readonly state: "whole" } & LoginDigests)
  | { readonly state: "broken" }
  | { readonly state: "missing" };

export interface SettleLoginOptions {
  readonly file: string;
  /** Whether to wait for a missing file, because there was a login before. */
  readonly expectsLogin: boolean;
  /** How long to wait for a broken or missing file to become whole, in milliseconds. */
  readonly patienceMs: number;
  /** Aborting ends the wait. */
  readonly signal: AbortSignal;
}

/** Longer than any writer takes. A deleted file is noticed as a logout only after this time. */
export const loginPatienceMs = 5_000;
const pollMs = 100;

/**
 * Reads the login and returns a digest of it, null if logged out. The digest leaves out the tokens, so that a token refresh
 * does not count as another login. Re-reads a file that is being written until it is whole; a file that stays broken or
 * missing for `patienceMs` counts as a logout.
 *
 * Rejects with the signal's reason when it aborts.
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

/** What the login file contains now; null if it is missing or being written. */
export async function readLoginDigests(authFile: string): Promise<LoginDigests | null> {
  const reading = await readLogin(authFile);
  return reading.state === "whole" ? reading : null;
}

/** Id of the ChatGPT account in the login file; null if the file names none. */
export async function readLoginAccountId(authFile: string): Promise<string | null> {
  return (await readCredentials(authFile))?.tokens?.account_id ?? null;
}

/** Claims of the ChatGPT login in the file; null if it contains none or cannot be read. */
export async function readLoginClaims(authFile: string): Promise<LoginClaims | null> {
  const login = await readCredentials(authFile);
  // If the file has an API key besides the tokens, Codex uses the key unless `auth_mode` says otherwise.
  const mode = login?.auth_mode ?? (login?.OPENAI_API_KEY == null ? "chatgpt" : "apikey");
  const tokens = login?.tokens;
  if (mode !== "chatgpt" || tokens?.id_token == null) return null;
  const identity = readClaims(tokens.id_token);
  if (identity === null) return null;
  const expiresAtSeconds = tokens.access_token == null ? null : readClaims(tokens.access_token)?.exp;
  return {
    accountId: tokens.account_id ?? null,
    email: identity.email ?? null,
    plan: identity["https://api.openai.com/auth"]?.chatgpt_plan_type ?? null,
    expiresAtMs: expiresAtSeconds == null ? null : expiresAtSeconds * 1000,
  };
}

async function readCredentials(authFile: string) {
  return loginSchema.safeParse(parseJson(await readFile(authFile, "utf8").catch(() => ""))).data ?? null;
}

async function readLogin(file: string): Promise<Reading> {
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null) return { state: "missing" };
  const content = parseJson(text);
  if (!isJsonObject(content)) return { state: "broken" };
  return { state: "whole", login: digestLogin(content), tokens: digestTokens(content) };
}

function digestTokens({ tokens }: Readonly<Record<string, unknown>>): string | null {
  if (!isJsonObject(tokens)) return null;
  return hash([tokens.access_token, tokens.refresh_token]);
}

function digestLogin(content: Readonly<Record<string, unknown>>): string | null {
  const { auth_mode: mode, last_refresh: _refreshed, ...credentials } = content;
  if (Object.values(credentials).every((credential) => credential == null)) return null;
  const tokens = isJsonObject(content.tokens) ? content.tokens : {};
  const claims = typeof tokens.id_token === "string" ? readClaims(tokens.id_token) : null;
  // Includes the plan: an app-server started for a personal account must not keep running once the account is an
  // organisation's.
  const plan = claims?.["https://api.openai.com/auth"]?.chatgpt_plan_type ?? null;
  const subject = claims === null ? null : [claims.sub ?? null, claims.email ?? null, plan];
  const who = [mode, tokens.account_id, subject, content.OPENAI_API_KEY];
  return hash(who);
}

function hash(parts: readonly unknown[]): string {
  return createHash("sha256")
    .update(JSON.stringify(parts.map((part) => part ?? null)))
    .digest("hex");
}

/** Null if the text is not a JWT with claims that we know. */
function readClaims(token: string) {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
  return claimsSchema.safeParse(parseJson(payload)).data ?? null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
