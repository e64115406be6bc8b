/** Codex's own directory for sockets, `/tmp/codex-daemon-<uid>`, made unusable where no other process sees it. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { isAtLeast } from "../../src/workers/contract/codex-capabilities.js";
import { cliPath } from "../support/cli-harness.js";
import { testCodexBin, testCodexVersion } from "../support/codex-version.js";
import { createChatGptLogin, OfflineBackend, text } from "../support/offline-backend/index.js";
import { makeTemporaryDirectory, refuseLeftovers } from "../support/runtime-harness.js";

t.setTimeout(240_000);

const uid = process.getuid?.() ?? -1;
const program = fileURLToPath(new URL("../support/socket-directory-child.js", import.meta.url));

/** The real directory is every Codex's of this user: only a mount of the test's own may be changed. */
const skip = ((): string | false => {
  if (process.platform !== "linux" || uid !== 0) return "needs root on Linux, to mount over the directory";
  if (spawnSync("unshare", ["-m", "true"]).status !== 0) return "this machine gives no mount namespace";
  return isAtLeast(testCodexVersion, 0, 160) ? false : `Codex ${testCodexVersion} has no such directory`;
})();

async function prepare(t: Test) {
  const root = await makeTemporaryDirectory(t);
  t.teardown(() => refuseLeftovers(root));
  const backend = await OfflineBackend.start();
  t.teardown(() => backend.close());
  backend.setDefaultReply(text("fine"));
  const userHome = join(root, "codex");
  await createChatGptLogin({ home: userHome, backend });
  const directory = join(root, "in-the-way");
  await mkdir(directory, { mode: 0o700 });
  const stateDir = join(root, "state");
  const environment = { ...backend.environment(), HOME: root, PATH: "/usr/bin:/bin" };
  return { root, backend, userHome, stateDir, directory, environment };
}

/** Runs node with `directory` in place of Codex's own, in a namespace that ends with it. */
async function runBeneath(
  t: Test,
  { directory, args, env }: { directory: string; args: readonly string[]; env: Record<string, string> },
) {
  const place = `/tmp/codex-daemon-${uid}`;
  const script = `mkdir -p ${place} && mount --bind "$0" ${place} && exec "$@"`;
  const child = spawn("unshare", ["-m", "sh", "-c", script, directory, process.execPath, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const exited = once(child, "exit");
  const [stdout, stderr] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
  const [code] = await exited;
  return { code: Number(code), stdout, stderr };
}

const faults: readonly [name: string, spoil: (directory: string) => Promise<void>, said: RegExp][] = [
  ["is another user's", (directory) => chown(directory, 4242, 4242), /belongs to another user \(uid 4242\)/],
  ["is open to others", (directory) => chmod(directory, 0o755), /has mode 755 and must have 700: chmod 700/],
];

for (const [name, spoil, said] of faults) {
  t.test(
    `a socket directory that ${name}: one worker's own process takes the turns, and says why`,
    { skip },
    async (t) => {
      const { directory, userHome, stateDir, environment } = await prepare(t);
      await spoil(directory);
      const codex = { userHome, stateDir, bin: testCodexBin ?? undefined };
      const settings = { listen: { port: 0 }, workers: 3, codex };
      const args = [program, JSON.stringify({ settings, environment })];
      const { code, stdout, stderr } = await runBeneath(t, { directory, args, env: environment });
      t.equal(code, 0, stderr);
      t.strictSame(JSON.parse(stdout), {
        readiness: { ready: true },
        answers: [200, 200, 200],
        degraded: ["shared_app_server"],
        transport: "stdio",
        ready: 1,
      });
    },
  );

  t.test(`doctor says what to do about a socket directory that ${name}`, { skip }, async (t) => {
    const { directory, userHome, stateDir, environment } = await prepare(t);
    await spoil(directory);
    const env = {
      ...environment,
      CODEX_HOME: userHome,
      CODEX_NATIVE_API_STATE_DIR: stateDir,
      CODEX_NATIVE_API_PORT: "0",
      ...(testCodexBin !== null && { CODEX_NATIVE_API_CODEX_BIN: testCodexBin }),
    };
    const { code, stdout } = await runBeneath(t, { directory, args: [cliPath, "doctor"], env });
    t.equal(code, 0, stdout);
    t.match(stdout, /^warn {2}sockets /m);
    t.match(stdout, said);
  });
}
