/**
 * `npm run eval:decisions [-- --url URL] [--token TOKEN] [--model NAME] [--effort EFFORT] [--concurrency N] [--name FILE] [--offline]`. See
 * bench/README.md. Exit codes: 0 done, 1 a question failed, 2 usage or no service, 130 interrupted.
 */
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Agent, request } from "undici";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { createChatGptLogin, OfflineBackend } from "../../test/support/offline-backend/index.js";
import { keepFiles } from "../report/keep-results.js";
import { readVersionFacts } from "../report/machine.js";
import { Resources } from "../rig/resources.js";
import { ServiceProcess } from "../rig/service-process.js";
import { evaluate } from "./evaluate.js";
import { type LabelledCase, readLabelledSet } from "./labelled-set.js";
import { answerFrom } from "./offline-model.js";
import { type EvaluationRecord, renderEvaluation } from "./render.js";
import { decisions, ways } from "./ways.js";

const say = (line: string) => process.stdout.write(`${line}\n`);

function readArguments() {
  const { values } = parseArgs({
    options: {
      url: { type: "string", default: "http://127.0.0.1:43182" },
      token: { type: "string" },
      model: { type: "string", default: "gpt-6-luna" },
      effort: { type: "string", default: "low" },
      concurrency: { type: "string", default: "2" },
      name: { type: "string" },
      offline: { type: "boolean", default: false },
    },
  });
  const concurrency = Number(values.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 64)
    throw new Error("--concurrency is a whole number from 1 to 64.");
  return { ...values, concurrency };
}

let values: ReturnType<typeof readArguments>;
try {
  values = readArguments();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(2);
}

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)));
}

const resources = new Resources();
let exitCode = 0;
try {
  exitCode = await run(await readLabelledSet());
} catch (error) {
  exitCode = interruption.signal.aborted ? 130 : 1;
  say(error instanceof Error ? error.message : String(error));
}
for (const fault of await resources.close()) say(fault);
process.exit(exitCode);

async function run(cases: readonly LabelledCase[]): Promise<number> {
  const url = values.offline
    ? await startOffline(cases)
    : values.url.replace(/\/+$/, "").replace(/\/v1$/, "");
  const token = values.offline ? null : (values.token ?? process.env.CODEX_NATIVE_API_TOKEN ?? null);
  const reason = await whyNotReady(url);
  if (reason !== null) {
    say(
      `${url} is not ready: ${reason}. Start \`codex-native-api serve\`, name its address with --url, or use --offline.`,
    );
    return 2;
  }
  const startedAt = new Date().toISOString();
  // A model may think for long; an interruption ends the wait.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  await resources.defer("HTTP client", () => dispatcher.destroy());
  const { model, effort } = values;
  const asking = { url, token, model, plainModel: model, effort, dispatcher, signal: interruption.signal };
  const [first] = cases;
  if (first === undefined) throw new Error("The set has no case.");
  const service = { ...asking, plainModel: (await decisions.ask(asking, first)).model };
  const onCase = (done: number) => {
    if (done % 10 === 0 || done === cases.length) say(`${done} of ${cases.length} cases`);
  };
  const reports = await evaluate({ service, cases, ways, concurrency: values.concurrency, onCase });
  const { codex, package: packageVersion, commit } = await readVersionFacts();
  const record: EvaluationRecord = {
    startedAt,
    model: values.offline ? "offline" : "real",
    codex,
    package: packageVersion,
    commit,
    ways: reports,
  };
  const markdown = renderEvaluation(record);
  say(`\n${markdown}`);
  const name =
    values.name ?? `${startedAt.slice(0, 16).replace(":", "")}-decisions${values.offline ? "-offline" : ""}`;
  const files = { [`${name}.json`]: `${JSON.stringify(record, null, 2)}\n`, [`${name}.md`]: markdown };
  say(`Kept in ${(await keepFiles(files)).join(" and ")}.`);
  return reports.some(({ all }) => all.failed > 0) ? 1 : 0;
}

async function whyNotReady(url: string): Promise<string | null> {
  try {
    const { statusCode, body } = await request(`${url}/readyz`, { signal: AbortSignal.timeout(10_000) });
    await body.dump();
    return statusCode === 200 ? null : `/readyz answers ${statusCode}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The service as published, on the offline backend. */
async function startOffline(cases: readonly LabelledCase[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "cna-eval-"));
  await resources.defer("temporary directory", () => removeTree(directory));
  const backend = await OfflineBackend.start({ account: "personal", unknownRoutes: "any" });
  await resources.defer("offline backend", () => backend.close());
  backend.setDefaultReply(answerFrom(cases));
  const userHome = join(directory, "codex");
  await createChatGptLogin({ home: userHome, backend });
  const own = join(directory, "service");
  await mkdir(own, { mode: 0o700 });
  const environment = { ...backend.environment(), HOME: directory, PATH: "/usr/bin:/bin" };
  const { url } = await ServiceProcess.start(resources, { directory: own, userHome, environment });
  return url;
}
