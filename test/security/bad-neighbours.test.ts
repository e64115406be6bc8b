/** Callers that send slowly, read slowly or do nothing at all: others are served meanwhile, and each is cut at its limit. */
import t, { type Test } from "tap";
import {
  type BadNeighbourKind,
  type BadNeighbours,
  badNeighbourKinds,
  inviteBadNeighbours,
} from "../support/bad-neighbours.js";
import { answerHello, type FakeTurn, messageItem } from "../support/fake-runtime.js";
import { call, type HttpFixture, serveFake } from "../support/http-fixture.js";
import { pollUntil } from "../support/service-harness.js";

/** Short, so that they are reached; long enough that on a busy machine nobody else reaches them. */
const limits = {
  headersTimeoutMs: 8_000,
  requestTimeoutMs: 9_000,
  keepAliveTimeoutMs: 5_000,
  stalledReaderTimeoutMs: 2_000,
};

const kilobyte = "x".repeat(1024);
/** More than the system itself takes for a reader, on both sides of a connection. */
const answerMegabytes = 24;

interface Flood {
  /** Kilobytes that turns of deaf readers were allowed to say. */
  taken: number;
}

/** Deaf callers get an answer that fits into no buffer, all others a short one. */
async function serveNeighbourhood(t: Test): Promise<HttpFixture & { readonly flood: Flood }> {
  const fixture = await serveFake(t, { limits });
  const flood: Flood = { taken: 0 };
  fixture.runtime.script = async (turn) => {
    if (!JSON.stringify(turn.request.items).includes("deaf")) return answerHello(turn);
    return floodReader(turn, flood);
  };
  return { ...fixture, flood };
}

async function floodReader(turn: FakeTurn, flood: Flood) {
  turn.start();
  await turn.emit({ type: "item.started", itemId: "m", itemType: "message" });
  for (let sent = 0; sent < answerMegabytes * 1024; sent++) {
    if (turn.handlers.signal?.aborted) return turn.result("cancelled");
    await turn.emit({ type: "text.delta", itemId: "m", delta: kilobyte });
    flood.taken++;
  }
  await turn.emit({
    type: "item.completed",
    item: messageItem("m", kilobyte.repeat(answerMegabytes * 1024)),
  });
  return turn.result();
}

async function invite(t: Test, port: number, kind: BadNeighbourKind, count: number): Promise<BadNeighbours> {
  const neighbours = await inviteBadNeighbours(port, kind, count, 100);
  t.teardown(() => neighbours.stop());
  return neighbours;
}

/** Ordinary callers of every kind. */
async function serveOthers(t: Test, fixture: HttpFixture, rounds: number): Promise<void> {
  const statuses = new Set<number>();
  for (let round = 0; round < rounds; round++) {
    const answers = await Promise.all([
      call(fixture, "/v1/responses", { body: { input: "hello" } }),
      call(fixture, "/v1/responses", { body: { input: "hello", stream: true } }),
      call(fixture, "/v1/models"),
      call(fixture, "/livez"),
    ]);
    for (const { status } of answers) statuses.add(status);
  }
  t.same([...statuses], [200], "all others are served");
}

/** Answers that are over, each of which has its line in the log. */
function countAnswers({ lines }: HttpFixture): number {
  return lines.filter(({ event, route }) => event === "http.request" && route === "/v1/responses").length;
}

const senders = badNeighbourKinds.filter((kind) => !/^(?:idle|readers)/.test(kind));

t.test(
  "callers that send slowly or not at all are cut at their limits, and others are served meanwhile",
  async (t) => {
    const fixture = await serveNeighbourhood(t);
    const invited = new Map<BadNeighbourKind, BadNeighbours>();
    for (const kind of senders) invited.set(kind, await invite(t, fixture.port, kind, 100));
    await serveOthers(t, fixture, 20);
    await Promise.all([...invited.values()].map(({ gone }) => gone));
    const answered = invited.get("half-closed callers")?.heard() ?? [];
    t.equal(answered.length, 100);
    // Whoever closes their side may have left: HTTP does not tell the one from the other, and a turn for nobody is not worth its place.
    const whole = answered.filter((answer) => answer.includes('"status":"completed"'));
    const without = answered.filter((answer) => answer === "");
    t.equal(whole.length + without.length, 100, "each is answered whole, or counts as gone");
    await serveOthers(t, fixture, 1);
  },
);

t.test(
  "callers that read nothing of their answers are cut at their limit, and their turns wait for them",
  async (t) => {
    const fixture = await serveNeighbourhood(t);
    const streams = await invite(t, fixture.port, "readers of no stream", 8);
    const others = 10;
    await serveOthers(t, fixture, others);
    t.ok(fixture.flood.taken < streams.count * answerMegabytes * 1024, "what nobody takes is not produced");
    const answers = await invite(t, fixture.port, "readers of no answer", 2);
    await serveOthers(t, fixture, others);
    // Who reads nothing does not learn of its end either; the server does.
    await pollUntil(() => countAnswers(fixture) === 4 * others + streams.count + answers.count, 60_000);
    await serveOthers(t, fixture, 1);
  },
);

t.test(
  "two thousand idle connections are held, cost others nothing, and are closed when their time is up",
  async (t) => {
    const fixture = await serveNeighbourhood(t);
    const neighbours = await invite(t, fixture.port, "idle connections", 2_000);
    await serveOthers(t, fixture, 20);
    await neighbours.gone;
    t.ok(neighbours.heard().every((answer) => answer.startsWith("HTTP/1.1 200")));
  },
);
