/**
 * `npm run demo`: the whole service on a machine without a login. Only the model is not real: an offline backend on loopback
 * answers in its place. `--once` ends after the answer.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetch } from "undici";
import { exitCodes } from "../../src/main/cli/exit-codes.js";
import { describeStartFault, formatStartFault } from "../../src/main/cli/start-fault.js";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { formatFault } from "../../src/main/config/faults.js";
import { loadConfig } from "../../src/main/config/load-config.js";
import { readMachine } from "../../src/main/config/machine.js";
import { createLogger, type Logger } from "../../src/main/observability/logger.js";
import { CodexNativeApiService } from "../../src/main/service.js";
import { decide, isDecision } from "./deciding-model.js";
import { createChatGptLogin, OfflineBackend, textInDeltas } from "./offline-backend/index.js";

const answer =
  "Hello! This answer was streamed by the offline backend, through the real codex app-server, a worker thread and HTTP.";

const say = (line = "") => process.stdout.write(`${line}\n`);

/** Why there is no demo: one line for people, and an exit code. */
class DemoFault extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

interface Demo {
  readonly service: CodexNativeApiService;
  readonly url: string;
  readonly logger: Logger;
}

async function startDemo(directory: string, backend: OfflineBackend): Promise<Demo> {
  backend.setDefaultReply((request) =>
    isDecision(request) ? decide(request) : textInDeltas(answer, 20, 40),
  );
  const userHome = join(directory, "codex");
  await createChatGptLogin({ home: userHome, backend, email: "demo@example.com" });
  const environment = {
    ...pick(process.env, ["PATH", "HOME", "USER", "LANG", "TMPDIR", "CODEX_NATIVE_API_PORT"]),
    ...backend.environment(),
    CODEX_HOME: userHome,
    CODEX_NATIVE_API_STATE_DIR: join(directory, "state"),
  };
  const loaded = loadConfig({
    argv: process.argv.slice(2).filter((argument) => argument !== "--once"),
    env: environment,
    machine: readMachine(),
  });
  if (!loaded.ok) throw new DemoFault(loaded.faults.map(formatFault).join("; "), exitCodes.configuration);
  const logger = createLogger({ level: "info", format: "text" });
  const service = new CodexNativeApiService({ config: loaded.config, logger, environment });
  const { url } = await service.start().catch(async (error: unknown) => {
    const fault = await describeStartFault(error, loaded.config);
    throw fault === null ? error : new DemoFault(formatStartFault(fault), fault.exitCode);
  });
  if (url === null) throw new DemoFault("the configuration says not to start", exitCodes.configuration);
  return { service, url, logger };
}

async function waitUntilReady(service: CodexNativeApiService): Promise<void> {
  const readiness = await service.untilSettled(30_000);
  if (!readiness.ready) throw new DemoFault(readiness.error.message);
}

async function showOneRequest(url: string): Promise<void> {
  say();
  say(`POST ${url}/v1/responses  {"input": "hello", "stream": true}`);
  say();
  const response = await fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: "hello", stream: true }),
  });
  if (response.body === null) throw new Error("The answer has no body.");
  process.stdout.write("  ");
  let pending = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    pending += decoder.decode(chunk, { stream: true });
    const lines = pending.split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) showLine(line);
  }
}

function showLine(line: string): void {
  if (!line.startsWith("data: ") || line === "data: [DONE]") return;
  const event: { type: string; delta?: string; response?: { id: string; model: string; usage: unknown } } =
    JSON.parse(line.slice("data: ".length));
  if (event.type === "response.output_text.delta") process.stdout.write(event.delta ?? "");
  if (event.type !== "response.completed") return;
  say("\n");
  say(`  ${event.type}: ${event.response?.id}, model ${event.response?.model}`);
  say(`  usage: ${JSON.stringify(event.response?.usage)}`);
}

function showHowToCall(url: string): void {
  say();
  say("The service goes on running. Try, from another terminal:");
  say();
  say(`  curl ${url}/v1/responses -H 'content-type: application/json' -d '{"input": "hello"}'`);
  say(`  curl ${url}/v1/models`);
  say(`  curl ${url}/v1/health`);
  say();
  say("Ctrl-C stops it.");
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}

async function runDemo({ service, url, logger }: Demo): Promise<void> {
  try {
    await waitUntilReady(service);
    // The request's own log line would land in the middle of the answer.
    logger.level = "warn";
    await showOneRequest(url);
    logger.level = "info";
    if (process.argv.includes("--once")) return;
    const signalled = untilSignal();
    showHowToCall(url);
    await signalled;
  } finally {
    await service.stop();
  }
}

const directory = await mkdtemp(join(tmpdir(), "codex-native-api-demo-"));
const backend = await OfflineBackend.start({ unknownRoutes: "any" });
try {
  say("Starting the service on a throw-away login and an offline model backend ...");
  await runDemo(await startDemo(directory, backend));
} catch (error) {
  if (!(error instanceof DemoFault)) throw error;
  process.stderr.write(`The demo cannot run: ${error.message}\n`);
  process.exitCode = error.exitCode;
} finally {
  await backend.close();
  await removeTree(directory);
}
