import { existsSync } from "node:fs";
import { lstat, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { repairAuthLink } from "../../src/main/codex/home/auth-link.js";
import { createChatGptLogin, createProviderHome, switchAccount } from "../support/offline-backend/index.js";
import {
  connectAppServer,
  type RealCodexOptions,
  setUpRealCodex,
  superviseRealCodex,
} from "../support/real-app-server.js";

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path)).isSymbolicLink();
}

/** Runs one lean turn to its end. */
async function runTurn(socketPath: string): Promise<void> {
  const driver = await connectAppServer(socketPath);
  try {
    const started = await driver.call("thread/start", {
      ephemeral: true,
      environments: [],
      sandbox: "read-only",
      approvalPolicy: "never",
    });
    const thread = started.thread;
    const threadId = thread !== null && typeof thread === "object" && "id" in thread ? thread.id : null;
    const ended = driver.waitFor("turn/completed");
    await driver.call("turn/start", { threadId, input: [{ type: "text", text: "hello" }] });
    await ended;
  } finally {
    driver.close();
  }
}

t.test(
  "without a login the app-server starts on a dangling link, and the next generation sees a later login",
  async (t) => {
    const codex = await setUpRealCodex(t);
    await createProviderHome({ home: codex.userHome, backend: codex.backend });
    await writeFile(
      join(codex.userHome, "config.toml"),
      `chatgpt_base_url = "${codex.backend.origin}/backend-api"\n`,
    );
    const { supervisor, home, call } = await superviseRealCodex(t, codex);
    await supervisor.start();
    t.equal(await readlink(join(home().path, "auth.json")), join(codex.userHome, "auth.json"));
    t.match(await call("account/read"), { account: null });
    await switchAccount(codex.userHome, { backend: codex.backend, email: "late@example.test" });
    t.match(await call("account/read"), { account: null }, "a running app-server does not look again");
    await supervisor.restart("another login");
    t.match(await call("account/read"), { account: { email: "late@example.test" } });
  },
);

t.test("a login through the service goes through the link into the user's home", async (t) => {
  const codex = await setUpRealCodex(t);
  const { supervisor, home, call } = await superviseRealCodex(t, codex);
  await supervisor.start();
  await call("account/login/start", { type: "apiKey", apiKey: "sk-through-the-link" });
  t.ok(await isLink(join(home().path, "auth.json")));
  t.match(await readFile(join(codex.userHome, "auth.json"), "utf8"), /sk-through-the-link/);
});

t.test(
  "a login after a logout replaces the link; mending moves it to the user and links again",
  async (t) => {
    const codex = await setUpRealCodex(t);
    const { supervisor, home, call } = await superviseRealCodex(t, codex);
    await supervisor.start();
    const link = join(home().path, "auth.json");
    await call("account/login/start", { type: "apiKey", apiKey: "sk-first" });
    await call("account/logout");
    t.match(await readFile(join(codex.userHome, "auth.json"), "utf8"), /sk-first/, "the user's login stays");
    await call("account/login/start", { type: "apiKey", apiKey: "sk-second" });
    t.notOk(await isLink(link));
    const mended = await repairAuthLink({ userCodexHome: codex.userHome, ownCodexHome: home().path });
    t.equal(mended, "moved_to_user");
    t.ok(await isLink(link));
    t.match(await readFile(join(codex.userHome, "auth.json"), "utf8"), /sk-second/);
    await supervisor.restart("mended");
    t.match(await call("account/read"), { account: { type: "apiKey" } });
  },
);

t.test("a token refresh writes through the link: one login, one use of each token", async (t) => {
  const codex = await setUpRealCodex(t, { backend: { webSocket: "refuse" } });
  await createChatGptLogin({
    home: codex.userHome,
    backend: codex.backend,
    accessTokenExpiresInSeconds: -60,
  });
  const before = await readFile(join(codex.userHome, "auth.json"), "utf8");
  const { supervisor, ready, home } = await superviseRealCodex(t, codex);
  await supervisor.start();
  await runTurn(ready[0]?.endpoint.socketPath ?? "");
  t.ok(await isLink(join(home().path, "auth.json")));
  t.not(await readFile(join(codex.userHome, "auth.json"), "utf8"), before);
  t.equal(codex.backend.counters.reusedRefreshTokens, 0);
});

const hostileConfig = (directory: string): string =>
  [
    `notify = ["/bin/sh", "-c", "touch ${directory}/NOTIFIED"]`,
    "[mcp_servers.probe]",
    'command = "/bin/sh"',
    `args = ["-c", "touch ${directory}/MCP; exec sleep 60"]`,
    "",
  ].join("\n");

for (const mode of ["isolated", "user"] as const satisfies RealCodexOptions["mode"][]) {
  t.test(`in ${mode} mode the user's MCP servers and notifications take no part in turns`, async (t) => {
    const codex = await setUpRealCodex(t);
    await createProviderHome({ home: codex.userHome, backend: codex.backend });
    const config = join(codex.userHome, "config.toml");
    const provider = await readFile(config, "utf8");
    const [top = "", ...tables] = provider.split(/^(?=\[)/m);
    const [notify = "", mcp = ""] = hostileConfig(codex.root).split(/^(?=\[)/m);
    await writeFile(config, [top, notify, ...tables, mcp].join("\n"));
    const before = (await readdir(codex.userHome)).sort();
    const { supervisor, ready, home } = await superviseRealCodex(t, codex, { mode });
    await supervisor.start();
    t.equal(home().mode, mode);
    await runTurn(ready[0]?.endpoint.socketPath ?? "");
    await supervisor.close();
    t.notOk(existsSync(join(codex.root, "MCP")));
    t.notOk(existsSync(join(codex.root, "NOTIFIED")));
    if (mode === "isolated")
      t.same((await readdir(codex.userHome)).sort(), before, "nothing is written there");
  });
}
