/**
 * Names the source files that one streamed response passes, as V8 counts function calls: those that run for every delta, and
 * those that run between the request and the backend's first word of it. Both threads are counted.
 *
 * `npm run measure:path` prints two lists. It compiles the worker's program file by file, where the tests use a bundle.
 */
import { Session } from "node:inspector";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { text } from "./offline-backend/index.js";
import { startServiceHarness } from "./service-harness.js";

/** More than any function runs for another reason while a response streams. */
const deltas = 400;

type Post = (method: string, params?: object) => Promise<unknown>;

interface FunctionCoverage {
  readonly functionName: string;
  readonly ranges: readonly { readonly count: number }[];
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly FunctionCoverage[];
}

/** V8's profilers of this thread and of every worker thread that starts after `open`. */
class Coverage {
  readonly #session = new Session();
  readonly #workers = new Map<string, { calls: Map<number, (result: unknown) => void>; next: number }>();

  async open(): Promise<void> {
    this.#session.connect();
    this.#session.on("NodeWorker.attachedToWorker", ({ params }) => {
      this.#workers.set(params.sessionId, { calls: new Map(), next: 1 });
      void startCounting(this.#postTo(params.sessionId));
    });
    this.#session.on("NodeWorker.receivedMessageFromWorker", ({ params }) => {
      const answer: unknown = JSON.parse(params.message);
      if (typeof answer !== "object" || answer === null || !("id" in answer) || !("result" in answer)) return;
      this.#workers.get(params.sessionId)?.calls.get(Number(answer.id))?.(answer.result);
    });
    await this.#post("NodeWorker.enable", { waitForDebuggerOnStart: false });
    await startCounting(this.#post);
  }

  close(): void {
    this.#session.disconnect();
  }

  /** Functions that were called since the last time, by file. */
  async take(): Promise<ReadonlyMap<string, readonly FunctionCoverage[]>> {
    const threads = [this.#post, ...[...this.#workers.keys()].map((id) => this.#postTo(id))];
    const found = new Map<string, readonly FunctionCoverage[]>();
    for (const post of threads) {
      const { result } = (await post("Profiler.takePreciseCoverage")) as {
        result: readonly ScriptCoverage[];
      };
      for (const { url, functions } of result) {
        const path = sourceOf(url);
        if (path !== null) found.set(path, [...(found.get(path) ?? []), ...functions]);
      }
    }
    return found;
  }

  readonly #post: Post = (method, params = {}) =>
    new Promise((resolve, reject) => {
      this.#session.post(method, params, (error, result) =>
        error === null ? resolve(result) : reject(error),
      );
    });

  #postTo(sessionId: string): Post {
    return (method, params = {}) =>
      new Promise((resolve) => {
        const worker = this.#workers.get(sessionId);
        if (worker === undefined) throw new Error("no such worker");
        const id = worker.next++;
        worker.calls.set(id, resolve);
        void this.#post("NodeWorker.sendMessageToWorker", {
          sessionId,
          message: JSON.stringify({ id, method, params }),
        });
      });
  }
}

async function startCounting(post: Post): Promise<void> {
  await post("Profiler.enable");
  await post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
}

/** The path below `src`, of a file of this project's own; null for others. */
function sourceOf(url: string): string | null {
  if (!url.startsWith("file:")) return null;
  const path = relative(process.cwd(), fileURLToPath(url)).replaceAll("\\", "/");
  return path.startsWith("build/src/") ? path.slice("build/".length).replace(/\.js$/, ".ts") : null;
}

function filesOf(
  coverage: ReadonlyMap<string, readonly FunctionCoverage[]>,
  least: number,
): readonly string[] {
  const isCalled = ({ functionName, ranges }: FunctionCoverage) =>
    functionName !== "" && (ranges[0]?.count ?? 0) >= least;
  return [...coverage]
    .filter(([, functions]) => functions.some(isCalled))
    .map(([path]) => path)
    .sort();
}

function print(title: string, files: readonly string[]): void {
  process.stdout.write(`${title}: ${files.length}\n${files.map((file) => `  ${file}\n`).join("")}`);
}

const teardowns: (() => unknown)[] = [];
const coverage = new Coverage();
await coverage.open();
const { backend, client, untilReady } = await startServiceHarness(
  { teardown: (task: () => unknown) => void teardowns.push(task) },
  { login: "provider" },
);
await untilReady();
const words = Array.from({ length: deltas }, (_, index) => `word ${index} `);
const say = async () => {
  for await (const _event of await client.responses.create({ input: "hello", stream: true }));
};
backend.setDefaultReply(text({ deltas: words, delayMs: 4, firstDelayMs: 1_000 }));
// The second is measured: the first one's work is also that of a service that wakes up.
await say();
await coverage.take();
const afterIndex = backend.requests.at(-1)?.index ?? -1;
const answered = say();
await backend.waitForRequest(() => true, { afterIndex });
print("Files from a request to its turn's start", filesOf(await coverage.take(), 1));
await answered;
print(`Files that each of ${deltas} deltas crosses`, filesOf(await coverage.take(), deltas / 4));
coverage.close();
for (const task of teardowns.reverse()) await task();
