import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { readLoginIdentity } from "../../../../src/main/runtime/app-server/login-identity.js";
import { makeDirectory, type WithTeardown } from "./fixtures.js";

async function identify(t: WithTeardown, ...contents: string[]): Promise<(string | null)[]> {
  const path = join(await makeDirectory(t), "auth.json");
  const identities: (string | null)[] = [];
  for (const content of contents) {
    await writeFile(path, content);
    identities.push(await readLoginIdentity(path));
  }
  return identities;
}

function chatgpt(account: string, token: string): string {
  return JSON.stringify({ auth_mode: "chatgpt", tokens: { account_id: account, access_token: token } });
}

t.test("a token refresh is the same login, another account is not", async (t) => {
  const [first, refreshed, other] = await identify(
    t,
    chatgpt("a", "1"),
    chatgpt("a", "2"),
    chatgpt("b", "1"),
  );
  t.equal(first, refreshed);
  t.not(first, other);
});

t.test("without an account id the file stands for the login", async (t) => {
  const [first, second, damaged] = await identify(t, '{"OPENAI_API_KEY":"1"}', '{"OPENAI_API_KEY":"2"}', "{");
  t.equal(new Set([first, second, damaged]).size, 3);
  for (const identity of [first, second, damaged]) t.match(identity, /^[0-9a-f]{16}$/, "a digest, no secret");
});

t.test("no login file is no identity", async (t) => {
  t.equal(await readLoginIdentity(join(await makeDirectory(t), "auth.json")), null);
});
