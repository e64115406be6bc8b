/**
 * A host program in small: a chat that asks side tasks about each message before it answers, and never lets them near its own
 * conversation.
 *
 *   node build/examples/side-task-host/main.js "Could you open the garage?"
 *
 * Where the tasks go is said by the environment (docs/side-tasks.md). With `--native` the host also has a Codex runtime of its
 * own, for when the service is not there.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
// In a program of your own: from "codex-native-api".
import {
  CodexNativeApiSideTaskError,
  CodexNativeApiSideTaskRouter,
  type CodexNativeRuntime,
  createConfig,
  createRuntime,
  readSideTaskSettings,
  type SideTaskResult,
} from "../../src/main/index.js";

const say = (line: string) => process.stdout.write(`${line}\n`);
const logger = pino({ level: "warn" }, pino.destination(2));

const intentSchema = {
  type: "object",
  properties: { intent: { enum: ["question", "command", "smalltalk"] } },
  required: ["intent"],
  additionalProperties: false,
};

function makeRuntime(): CodexNativeRuntime {
  const codex = {
    ...(process.env.CODEX_HOME !== undefined && { userHome: process.env.CODEX_HOME }),
    stateDir: process.env.CODEX_NATIVE_API_STATE_DIR ?? join(tmpdir(), "side-task-host"),
  };
  const created = createConfig({ codex, workers: 1, shutdownGraceMs: 2_000 });
  if (!created.ok)
    throw new Error(created.faults.map(({ source, problem }) => `${source}: ${problem}`).join("\n"));
  return createRuntime(created.config, { environment: process.env, logger });
}

/** Two small questions about one message, at once. */
async function lookInto(router: CodexNativeApiSideTaskRouter, message: string): Promise<void> {
  const metadata = { eventMetadata: { source: "example" }, threadMetadata: { chat: "garage" } };
  const [intent, normalized] = await Promise.all([
    router.execute({
      taskClass: "intent_classification",
      instructions: "Classify the intent of the user's message.",
      input: message,
      outputSchema: intentSchema,
      metadata,
    }),
    router.execute({
      taskClass: "normalization",
      instructions: "Rewrite the user's message in plain lower-case English, without greetings.",
      input: message,
      metadata,
    }),
  ]);
  say(`intent      ${JSON.stringify(intent.output)}  (${describe(intent)})`);
  say(`normalized  ${normalized.outputText}  (${describe(normalized)})`);
}

function describe({ route, model, routesTried }: SideTaskResult): string {
  const before = routesTried.slice(0, -1).map((trial) => `${trial.route}: ${trial.outcome} ${trial.code}`);
  return [`${route}, ${model}`, ...before].join("; ");
}

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  const message = words.filter((word) => word !== "--native").join(" ") || "Could you open the garage?";
  const read = readSideTaskSettings(process.env);
  if (!read.ok) {
    for (const { source, problem } of read.faults) say(`${source}: ${problem}`);
    return 2;
  }
  for (const { source, problem } of read.warnings) logger.warn(`${source}: ${problem}`);
  const runtime = words.includes("--native") ? makeRuntime() : null;
  const router = new CodexNativeApiSideTaskRouter({
    settings: read.settings,
    ...(runtime !== null && { runtime }),
    taskClasses: { normalization: { timeoutMs: 30_000 } },
    logger,
  });
  try {
    await runtime?.start();
    await lookInto(router, message);
    return 0;
  } catch (error) {
    if (!(error instanceof CodexNativeApiSideTaskError)) throw error;
    say(`${error.code}: ${error.message}`);
    return 1;
  } finally {
    await router.close();
    await runtime?.close();
  }
}

process.exitCode = await main();
