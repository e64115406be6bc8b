/** What another user of this machine can get at. */
import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { isSystemError } from "../../src/main/codex/home/private-files.js";
import { loadConfig } from "../../src/main/config/load-config.js";
import { readMachine } from "../../src/main/config/machine.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { startServiceHarness } from "../support/service-harness.js";

const nobody = 65_534;

/** Run as another user: tries to read a file, list a directory or connect to a socket. Prints the error's code, or what it got. */
const intruder = `
const [how, path] = process.argv.slice(1);
const tell = (word) => { process.stdout.write(word); process.exit(); };
try {
  if (how === "read") tell(require("fs").readFileSync(path, "utf8"));
  if (how === "list") tell(require("fs").readdirSync(path).join());
  if (how === "write") { require("fs").writeFileSync(path, "x"); tell("written"); }
} catch (error) { tell(error.code); }
require("net").connect(path, () => tell("connected")).on("error", (error) => tell(error.code));
`;

async function tryAsNobody(how: "read" | "list" | "write" | "connect", path: string): Promise<string> {
  const ids = { uid: nobody, gid: nobody };
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", intruder, how, path], {
    ...ids,
    cwd: "/",
    timeout: 20_000,
  });
  return stdout;
}

const onlyRoot = process.getuid?.() === 0 ? {} : { skip: "only root can act as another user" };

t.test(
  "another user can neither enter the state directory nor reach the app-server or the login",
  onlyRoot,
  async (t) => {
    const { stateDir, userHome, untilReady } = await startServiceHarness(t);
    await untilReady();
    // The directory around both is the test's own and private too; what is tested is what is below.
    await chmod(dirname(stateDir), 0o755);
    const paths = await readdir(stateDir, { recursive: true });
    const socket = paths.find((path) => path.endsWith(".sock"));
    const ownLogin = paths.find((path) => path.endsWith("codex-home/auth.json"));
    if (socket === undefined || ownLogin === undefined) throw new Error(`not there: ${paths.join()}`);
    t.equal(await tryAsNobody("list", stateDir), "EACCES");
    t.equal(await tryAsNobody("connect", join(stateDir, socket)), "EACCES");
    t.equal(await tryAsNobody("read", join(stateDir, ownLogin)), "EACCES");
    t.equal(await tryAsNobody("write", join(stateDir, "x")), "EACCES");
    t.ok((await stat(join(userHome, "auth.json"))).isFile());
  },
);

t.test(
  "the state directory, its directories, the sockets and our own files are open to their owner only",
  async (t) => {
    const { stateDir, untilReady } = await startServiceHarness(t);
    await untilReady();
    const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
    t.equal(await modeOf(stateDir), 0o700);
    const paths = await readdir(stateDir, { recursive: true });
    // What Codex writes in its own home has the modes it wants; nobody else gets there.
    const ours = paths.filter((path) => !path.includes("codex-home/") && !path.includes("auth.json"));
    for (const path of ours) {
      const mode = await modeOf(join(stateDir, path)).catch((error: unknown) => {
        // A file that replaces another is renamed as soon as it is written, so that its first name is soon gone.
        if (path.endsWith(".tmp") && isSystemError(error, "ENOENT")) return 0;
        throw error;
      });
      t.equal(mode & 0o077, 0, path.replace(/instances\/[^/]+/, "instance"));
    }
    t.ok(ours.some((path) => path.endsWith(".sock")));
  },
);

t.test(
  "a service does not start on a state directory that others may enter, and says what to do",
  async (t) => {
    const directory = await makeTemporaryDirectory(t);
    const stateDir = join(directory, "open");
    await mkdir(stateDir);
    await chmod(stateDir, 0o755);
    const start = startServiceHarness(t, { env: { CODEX_NATIVE_API_STATE_DIR: stateDir } });
    await t.rejects(start, { code: "native_runtime_unavailable", message: /chmod 700/ });
    t.same(await readdir(stateDir), [], "nothing was put there");
  },
);

t.test("a token file that others may read or write is refused, one of one's own is taken", async (t) => {
  const directory = await makeTemporaryDirectory(t);
  const path = join(directory, "token");
  await writeFile(path, "0123456789abcdef\n");
  const load = () =>
    loadConfig({ argv: ["--auth-token-file", path], env: { HOME: directory }, machine: readMachine() });
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o666]) {
    await chmod(path, mode);
    const loaded = load();
    t.notOk(loaded.ok, mode.toString(8));
    if (!loaded.ok) t.match(loaded.faults, [{ problem: /chmod 600/ }], mode.toString(8));
  }
  for (const mode of [0o600, 0o400]) {
    await chmod(path, mode);
    t.ok(load().ok, mode.toString(8));
  }
});
