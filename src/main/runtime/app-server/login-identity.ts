import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";

/** The only place that looks into Codex's login file; nothing of it but a digest and who it is of leaves here. */
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
  email: z.string().nullish(),
  exp: z.number().nullish(),
  "https://api.openai.com/auth": z.looseObject({ chatgpt_plan_type: z.string().nullish() }).nullish(),
});

/** Whom a ChatGPT login is of, by its own words. Not proof: whoever writes the file writes these. */
export interface LoginClaims {
  readonly accountId: string | null;
  readonly email: string | null;
  readonly plan: string | null;
  /** When Codex must refresh it, by the wall clock; null where it does not say. */
  readonly expiresAtMs: number | null;
}

/**
 * A digest that changes when another account logs in, and not when tokens are refreshed: good as a cache key, not as
 * proof of who is logged in. Null when nobody is, or when the login is kept elsewhere.
 */
export async function readLoginIdentity(authFile: string): Promise<string | null> {
  const text = await readFile(authFile, "utf8").catch(() => null);
  if (text === null) return null;
  const login = loginSchema.safeParse(parseJson(text)).data;
  const accountId = login?.tokens?.account_id;
  const parts =
    accountId !== undefined && accountId !== null
      ? ["account", login?.auth_mode ?? "", accountId]
      : // Without an account id the file as a whole stands for the login.
        ["file", text];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** The ChatGPT account that the login file is of; null where it names none. */
export async function readLoginAccountId(authFile: string): Promise<string | null> {
  const text = await readFile(authFile, "utf8").catch(() => null);
  if (text === null) return null;
  return loginSchema.safeParse(parseJson(text)).data?.tokens?.account_id ?? null;
}

/** What the login file says of its ChatGPT login; null where it holds none, or it cannot be read. */
export async function readLoginClaims(authFile: string): Promise<LoginClaims | null> {
  const text = await readFile(authFile, "utf8").catch(() => null);
  const login = text === null ? undefined : loginSchema.safeParse(parseJson(text)).data;
  // A key beside the tokens is what Codex uses, unless it says that the login is ChatGPT's.
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

function readClaims(token: string) {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
  return claimsSchema.safeParse(parseJson(payload)).data ?? null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A damaged login is still a different one, and says nothing of itself.
    return null;
  }
}
