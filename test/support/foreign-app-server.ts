/** An app-server that somebody else runs, for a runtime that attaches to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Test } from "tap";
import { findCodexBinary } from "../../src/main/codex/binary/codex-binary.js";
import type { AppServerTransport } from "../../src/main/config/codex-choices.js";
import { testCodexBin } from "./codex-version.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

export interface ForeignAppServer {
  readonly process: ChildProcess;
  /** How a runtime reaches it. */
  readonly appServer: AppServerTransport;
}

/** Starts the real Codex on its owner's home; it ends with the test. A runtime dials until the socket is there. */
export async function startForeignAppServer(
  t: Pick<Test, "teardown">,
  ownersHome: string,
  kind: "unix" | "tcp" = "unix",
): Promise<ForeignAppServer> {
  const socketPath = join(await makeTemporaryDirectory(t), "s.sock");
  const { path } = await findCodexBinary({ configured: testCodexBin, env: {}, timeoutMs: 10_000 });
  const listen = kind === "unix" ? `unix://${socketPath}` : "ws://127.0.0.1:0";
  const codex = spawn(path, ["app-server", "--listen", listen], {
    env: { CODEX_HOME: ownersHome, HOME: ownersHome, PATH: "/usr/bin:/bin" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(codex, "exit");
  t.teardown(async () => {
    codex.kill("SIGKILL");
    await exited;
  });
  const appServer =
    kind === "unix"
      ? ({ kind, socketPath } as const)
      : ({ kind, url: await readAddress(codex.stderr) } as const);
  codex.stderr.resume();
  return { process: codex, appServer };
}

/** Codex says on stderr where it listens. */
async function readAddress(stderr: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stderr })) {
    const url = /ws:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error("it does not listen");
}
