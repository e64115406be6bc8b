/**
 * A chat bridge that uses each part of the package, in the common tongue of the module systems: no `await` at the top and no
 * `import.meta`. Tests compile it with the settings of strict hosts and bundle it, and run what comes out: `node host.js SETTINGS`.
 */
import { pino } from "pino";
import { Registry } from "prom-client";
import { z } from "zod";
import {
  type CodexNativeApiConfig,
  CodexNativeApiError,
  CodexNativeApiServer,
  CodexNativeApiService,
  type CodexNativeApiServiceEvents,
  type CodexNativeApiSettings,
  CodexNativeApiSideTaskError,
  CodexNativeApiSideTaskRouter,
  type CodexNativeRuntime,
  createConfig,
  createRuntime,
  type DecisionAnswer,
  type DecisionPredicate,
  InMemoryCodexNativeApiContinuationRegistry,
  type ReadinessSnapshot,
  readSideTaskSettings,
  type SideTaskDecision,
  type SideTaskDecisionRequest,
  type SideTaskEvent,
  type SideTaskOutput,
  type SideTaskResult,
  type SideTaskSettings,
  type StandardSchema,
} from "../../src/main/index.js";

const logger = pino({ level: "fatal" }, pino.destination(2));

function configure(settings: CodexNativeApiSettings): CodexNativeApiConfig {
  const created = createConfig(settings, { env: {} });
  if (!created.ok)
    throw new Error(created.faults.map(({ source, problem }) => `${source}: ${problem}`).join());
  return created.config;
}

function readRoutes(env: NodeJS.ProcessEnv): SideTaskSettings {
  const read = readSideTaskSettings(env);
  if (!read.ok) throw new Error(read.faults.map(({ source, problem }) => `${source}: ${problem}`).join());
  return read.settings;
}

function watch(service: CodexNativeApiService): readonly (keyof CodexNativeApiServiceEvents)[] {
  const seen: (keyof CodexNativeApiServiceEvents)[] = [];
  service.on("listening", ({ url }) => seen.push(url.startsWith("http:") ? "listening" : "stopped"));
  service.on("ready", ({ account }) => seen.push(account?.authMode === "chatgpt" ? "ready" : "unavailable"));
  service.on("stopped", () => seen.push("stopped"));
  return seen;
}

/** Anything with `~standard` types the output, with a JSON schema beside it where the library writes none. */
const shout: StandardSchema<{ readonly loud: string }> = {
  "~standard": {
    version: 1,
    vendor: "bridge",
    validate: (value) =>
      typeof value === "object" && value !== null && "intent" in value && typeof value.intent === "string"
        ? { value: { loud: value.intent.toUpperCase() } }
        : { issues: [{ message: "no intent", path: ["intent"] }] },
  },
};
const shoutSchema = {
  type: "object",
  properties: { intent: { type: "string" } },
  required: ["intent"],
  additionalProperties: false,
};
const byHand: SideTaskOutput<{ readonly loud: string }> = { schema: shout, jsonSchema: shoutSchema };
const intents = z.strictObject({ intent: z.enum(["command", "question"]), sure: z.boolean().optional() });

async function askTasks(router: CodexNativeApiSideTaskRouter): Promise<readonly string[]> {
  const task = { taskClass: "intent_classification", input: "Could you open the garage?" } as const;
  const typed = await router.execute({ ...task, output: intents });
  const intent: "command" | "question" = typed.output.intent;
  const loud: string = (await router.execute({ ...task, output: byHand })).output.loud;
  const plain: SideTaskResult = await router.execute({ ...task, outputSchema: shoutSchema });
  const refused: string = await router.execute({ taskClass: "no class", input: "" }).then(
    ({ outputText }) => outputText,
    (error: unknown) =>
      error instanceof CodexNativeApiSideTaskError ? error.code : "not the package's class",
  );
  return [intent, loud, plain.route, refused];
}

const isUrgent: DecisionPredicate = { type: "predicate", name: "urgent", instructions: "It is urgent." };

async function askQuestions(router: CodexNativeApiSideTaskRouter): Promise<readonly string[]> {
  const { answers, route, method } = await router.decide({
    input: "I was charged twice.",
    questions: [
      isUrgent,
      { type: "choice", instructions: "Whose is it?", choices: [{ value: "sales" }, { value: "billing" }] },
    ],
  });
  const [urgent, team] = answers;
  const probability: number = urgent.type === "refusal" ? 0 : urgent.probability;
  const chosen: "sales" | "billing" | "nobody" = team.type === "refusal" ? "nobody" : team.choice;
  // Of questions that are known at run time only, answers of every kind.
  const later: SideTaskDecisionRequest = { input: "x", questions: [isUrgent] };
  const decision: SideTaskDecision = await router.decide(later);
  const kinds = decision.answers.map((answer: DecisionAnswer) => answer.type);
  return [String(probability), chosen, route, method, ...kinds];
}

/** The parts that a host may take one by one; made and not started. */
function makeParts(config: CodexNativeApiConfig): {
  runtime: CodexNativeRuntime;
  server: CodexNativeApiServer;
} {
  const runtime = createRuntime(config, { environment: process.env, logger });
  const server = new CodexNativeApiServer({
    runtime,
    registry: new InMemoryCodexNativeApiContinuationRegistry(config.continuation),
    host: "127.0.0.1",
    port: 0,
    authToken: null,
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 1_000_000,
    unsupportedParameters: "ignore",
    version: "1.0.0",
  });
  return { runtime, server };
}

async function main(): Promise<void> {
  const config = configure(JSON.parse(process.argv[2] ?? "{}"));
  const { runtime, server } = makeParts(config);
  const service = new CodexNativeApiService({ config, environment: process.env, logger });
  const events = watch(service);
  const registry = new Registry();
  const taskEvents: SideTaskEvent["type"][] = [];
  const router = new CodexNativeApiSideTaskRouter({
    settings: readRoutes({}),
    service,
    registry,
    logger,
    metadataLevel: "silent",
    onEvent: ({ type }) => taskEvents.push(type),
  });
  try {
    await service.start();
    const readiness = await service.untilSettled();
    if (!readiness.ready) throw new CodexNativeApiError(readiness.error.code, readiness.error.message);
    const tasks = await askTasks(router);
    const decided = await askQuestions(router);
    const snapshot: ReadinessSnapshot = await service.reconnect();
    const metrics = (await registry.metrics())
      .split("\n")
      .filter((line) => /^[^#].*side_task.*_total/.test(line));
    await Promise.all([router.close(), server.close({ graceMs: 0 }), runtime.close()]);
    await service.stop();
    const said = {
      tasks,
      decided,
      reconnected: snapshot.ready,
      metrics: metrics.length > 0,
      events,
      taskEvents,
    };
    process.stdout.write(JSON.stringify(said));
  } finally {
    await router.close();
    await service.destroy();
  }
}

main().catch((error: unknown) => {
  logger.fatal(error);
  process.exitCode = 1;
});
