import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";

/** The only place that looks into Codex's login file; nothing of it but a digest and the account's id leaves here. */
const loginSchema = z.looseObject({
  auth_mode: z.string().nullish(),
  OPENAI_API_KEY: z.string().nullish(),
  tokens: z.looseObject({ account_id: z.string().nullish() }).nullish(),
});

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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A damaged login is still a different one; the caller falls back to the text.
    return null;
  }
}
