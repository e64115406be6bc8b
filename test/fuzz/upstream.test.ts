/** Whatever the model backend says, through the real app-server: one end, an error of ours, and no word of where it came from. */
import fc from "fast-check";
import t from "tap";
import { errorKinds } from "../../src/main/errors.js";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { lastUserText, type Reply, text } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
import { planFuzz } from "./support/fuzz-plan.js";
import { anyHttpAnswer, anyWebSocketAnswer, backendAddresses } from "./support/upstream-answers.js";

t.setTimeout(900_000);

/** Turns at once: one after the other they would take a minute. */
const atOnce = 8;

function anyQuestion(answer: fc.Arbitrary<Reply>) {
  return fc.record(
    {
      answer,
      dialect: fc.constantFrom("responses" as const, "chat" as const),
      stream: fc.boolean(),
      withTool: fc.boolean(),
    },
    { noNullPrototype: true },
  );
}
type Asked = ReturnType<typeof anyQuestion> extends fc.Arbitrary<infer Made> ? Made : never;

const parameters = { type: "object", properties: {} };

function requestOf({ dialect, stream, withTool }: Asked, key: string): { path: string; body: object } {
  if (dialect === "responses") {
    const tools = withTool ? [{ type: "function", name: "lookup", parameters }] : [];
    return { path: "/v1/responses", body: { input: key, stream, tools } };
  }
  const tools = [{ type: "function", function: { name: "lookup", parameters } }];
  const messages = [{ role: "user", content: key }];
  return { path: "/v1/chat/completions", body: { messages, stream, ...(withTool && { tools }) } };
}

const codes = new Set(Object.keys(errorKinds));

/** Throws unless the error is one of ours that tells nothing of the backend's. */
function checkError(error: unknown, origin: string): string {
  if (!isJsonObject(error) || typeof error.code !== "string" || typeof error.message !== "string")
    throw new Error(`no error of ours: ${JSON.stringify(error)}`);
  if (!codes.has(error.code)) throw new Error(`${error.code} is no code of ours`);
  const { message } = error;
  for (const address of [...backendAddresses, new URL(origin).host]) {
    if (message.includes(address)) throw new Error(`names ${address}: ${message}`);
  }
  if (message.length > 2_100) throw new Error(`a message of ${message.length} characters`);
  return error.code;
}

/** How the answer ended, in a word; throws where a client could make nothing of it. */
function judge({ dialect, stream }: Asked, status: number, body: string, origin: string): string {
  if (status !== 200) {
    const answer: unknown = JSON.parse(body);
    return checkError(isJsonObject(answer) ? answer.error : null, origin);
  }
  if (!stream) return judgeObject(JSON.parse(body), origin);
  if (!body.endsWith("\n\n")) throw new Error(`breaks off: ${body.slice(-200)}`);
  const data = body
    .split("\n\n")
    .flatMap((block) => /^data: (.*)$/m.exec(block)?.[1] ?? [])
    .filter((line) => line !== "[DONE]")
    .map((line): unknown => JSON.parse(line));
  return dialect === "responses" ? judgeEvents(data, origin) : judgeChunks(data, origin);
}

function judgeObject(answer: unknown, origin: string): string {
  if (!isJsonObject(answer)) throw new Error("no object");
  if (isJsonObject(answer.error)) return checkError(answer.error, origin);
  if (typeof answer.status === "string") return answer.status;
  if (!Array.isArray(answer.choices))
    throw new Error(`neither status nor choices: ${JSON.stringify(answer)}`);
  return "completed";
}

function judgeEvents(events: readonly unknown[], origin: string): string {
  const ends = events.filter(
    (event) => isJsonObject(event) && /^response\.(completed|incomplete|failed)$/.test(String(event.type)),
  );
  const last = events.at(-1);
  if (ends.length !== 1 || ends[0] !== last)
    throw new Error(`${ends.length} ends, last ${JSON.stringify(last)}`);
  return judgeObject(isJsonObject(last) ? last.response : null, origin);
}

function judgeChunks(chunks: readonly unknown[], origin: string): string {
  const errors = chunks.filter((chunk) => isJsonObject(chunk) && isJsonObject(chunk.error));
  const reasons = chunks.flatMap((chunk) =>
    isJsonObject(chunk) && Array.isArray(chunk.choices)
      ? chunk.choices.flatMap((choice: unknown) => (isJsonObject(choice) && choice.finish_reason) || [])
      : [],
  );
  if (errors.length + reasons.length !== 1)
    throw new Error(`${errors.length} errors and ${reasons.length} finish reasons`);
  const [error] = errors;
  return isJsonObject(error) ? checkError(error.error, origin) : "completed";
}

for (const supportsWebSockets of [false, true]) {
  const wire = supportsWebSockets ? "WebSocket" : "server-sent events";
  t.test(`whatever the backend answers over ${wire}, a turn has one end and says no address`, async (t) => {
    const { seed, runs } = planFuzz(t, 80);
    const { backend, url, untilReady } = await startServiceHarness(t, {
      login: "provider",
      provider: { supportsWebSockets, requestMaxRetries: 0, streamMaxRetries: 0 },
      backend: { maxRecorded: 0 },
    });
    const answers = new Map<string, Reply>();
    backend.setDefaultReply((request) => answers.get(lastUserText(request)) ?? text("nobody asked"));
    await untilReady();
    const outcomes = new Map<string, number>();
    let turns = 0;
    const run = async (one: Asked): Promise<string> => {
      const key = `turn ${turns++}`;
      answers.set(key, one.answer);
      const { path, body } = requestOf(one, key);
      const response = await fetch(`${url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(100_000),
      });
      const outcome = judge(one, response.status, await response.text(), backend.origin);
      answers.delete(key);
      return outcome;
    };
    const ask = async (one: Asked) => {
      // Of those that are asked at once only one is at fault.
      const outcome = await run(one).catch((error: unknown) => {
        throw new Error(`${error} on ${JSON.stringify(one)}`);
      });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    };
    const batch = fc.array(anyQuestion(supportsWebSockets ? anyWebSocketAnswer : anyHttpAnswer), {
      minLength: atOnce,
      maxLength: atOnce,
    });
    const property = fc.asyncProperty(batch, async (all) => void (await Promise.all(all.map(ask))));
    await fc.assert(property, { seed, numRuns: Math.ceil(runs / atOnce), endOnFailure: true });
    t.comment(`outcomes: ${JSON.stringify(Object.fromEntries(outcomes))}`);
    t.ok((outcomes.get("completed") ?? 0) > 0, "some were completed");
    t.notOk(outcomes.has("internal_error"), "none is our fault");
  });
}
