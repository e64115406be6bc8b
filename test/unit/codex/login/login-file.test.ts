import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import {
  readLoginClaims,
  readLoginDigests,
  settleLogin,
} from "../../../../src/main/codex/login/login-file.js";
import { makeDirectory, type WithTeardown } from "../fixtures.js";

async function identify(t: WithTeardown, ...contents: string[]): Promise<(string | null)[]> {
  const file = join(await makeDirectory(t), "auth.json");
  const identities: (string | null)[] = [];
  for (const content of contents) {
    await writeFile(file, content);
    identities.push(await settle(file));
  }
  return identities;
}

function settle(file: string): Promise<string | null> {
  const { signal } = new AbortController();
  return settleLogin({ file, expectsLogin: false, patienceMs: 0, signal });
}

function token(claims: object): string {
  return `head.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.signature`;
}

function chatgpt(account: string, accessToken: string, claims: object = {}): string {
  const tokens = { account_id: account, access_token: accessToken, id_token: token(claims) };
  return JSON.stringify({ auth_mode: "chatgpt", tokens });
}

const plan = (name: string) => ({ "https://api.openai.com/auth": { chatgpt_plan_type: name } });

t.test("a token refresh is the same login; another account, person or plan is another", async (t) => {
  const [first, refreshed, ...others] = await identify(
    t,
    chatgpt("a", "1"),
    chatgpt("a", "2"),
    chatgpt("b", "1"),
    chatgpt("a", "1", { sub: "someone" }),
    chatgpt("a", "1", { email: "a@example.com" }),
    chatgpt("a", "1", plan("team")),
    '{"OPENAI_API_KEY":"1"}',
    '{"OPENAI_API_KEY":"2"}',
  );
  t.equal(first, refreshed);
  t.equal(new Set([first, ...others]).size, 7);
  for (const identity of [first, ...others]) t.match(identity, /^[0-9a-f]{64}$/, "a digest, no secret");
});

t.test(
  "a token refresh leaves the digest of the login as it is and changes that of the tokens",
  async (t) => {
    const file = join(await makeDirectory(t), "auth.json");
    await writeFile(file, chatgpt("a", "1"));
    const first = await readLoginDigests(file);
    await writeFile(file, chatgpt("a", "2"));
    const refreshed = await readLoginDigests(file);
    t.equal(refreshed?.login, first?.login);
    t.not(refreshed?.tokens, first?.tokens);
    t.match(refreshed?.tokens, /^[0-9a-f]{64}$/, "a digest, no secret");
    await writeFile(file, '{"OPENAI_API_KEY":"1"}');
    t.match(await readLoginDigests(file), { tokens: null });
    await writeFile(file, "{");
    t.equal(await readLoginDigests(file), null, "no digest of a file that is being written");
  },
);

t.test(
  "a file without a login, a file that stays broken and a missing file count as logged out",
  async (t) => {
    t.strictSame(await identify(t, '{"auth_mode":"chatgpt","tokens":null}', "{", "[]"), [null, null, null]);
    t.equal(await settle(join(await makeDirectory(t), "auth.json")), null);
  },
);

t.test("claims are read only from a ChatGPT login", async (t) => {
  const file = join(await makeDirectory(t), "auth.json");
  await writeFile(file, chatgpt("a", token({ exp: 2 }), { email: "a@example.com", ...plan("plus") }));
  const claims = { accountId: "a", email: "a@example.com", plan: "plus", expiresAtMs: 2000 };
  t.strictSame(await readLoginClaims(file), claims);
  await writeFile(file, '{"OPENAI_API_KEY":"1"}');
  t.equal(await readLoginClaims(file), null);
  await writeFile(file, "{");
  t.equal(await readLoginClaims(file), null);
});
