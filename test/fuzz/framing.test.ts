/** Heads whose parts contradict each other are never acted on; bodies that stop anywhere hold nothing for long. */
import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import t from "tap";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { CodexNativeApiServer } from "../../src/main/http/server.js";
import { bodyOf } from "../support/raw-caller.js";
import {
  anyFramedRequest,
  anySendingPlan,
  type FramedRequest,
  type SendingPlan,
} from "./support/framings.js";
import { measureHeap, planFuzz } from "./support/fuzz-plan.js";
import { quickServerOptions } from "./support/quick-server.js";
import { fuzzToken } from "./support/requests.js";

// On a machine with other work it takes its time; how much is tried does not depend on that.
t.setTimeout(900_000);

const maxGrowthBytes = 12 * 1024 * 1024;
const deadlineMs = 30_000;
const limits = { headersTimeoutMs: 2_000, requestTimeoutMs: 10_000, slowBodyGraceMs: 300 };
/** Connections at once; of a failure its error names the one. */
const together = 150;

t.test(
  "a request whose parts contradict each other is refused, and one that is plain is answered",
  async (t) => {
    const { seed, runs } = planFuzz(t, 2_400);
    const server = new CodexNativeApiServer({ ...quickServerOptions(), limits });
    const { port } = await server.start();
    t.teardown(() => server.destroy());
    let plain = 0;
    const check = async ({ text, isPlain }: FramedRequest) => {
      const answer = await exchange(port, text);
      const described = () => new Error(`${JSON.stringify(text)}: ${answer.slice(0, 500)}`);
      const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
      const [status = 0] = statuses;
      if (statuses.length !== 1 || isPlain !== (status === 200)) throw described();
      if (status >= 500 && status !== 501) throw described();
      if (status !== 200) checkRefusal(answer);
      plain += isPlain ? 1 : 0;
    };
    // Some connections stay open for a while to read what still comes, so many are tried at once.
    const requests = fc.array(anyFramedRequest, { minLength: together, maxLength: together });
    const property = fc.asyncProperty(requests, async (all) => {
      await Promise.all(all.map(check));
    });
    await fc.assert(property, { seed, numRuns: Math.ceil(runs / together), endOnFailure: true });
    t.ok(plain > runs / 20 && plain < runs / 1.2, `${plain} of ${runs} were plain`);
  },
);

t.test(
  "bodies that stop at any point are given up, answered where they can be, and hold nothing",
  async (t) => {
    const { seed, runs } = planFuzz(t, 900);
    const server = new CodexNativeApiServer({
      ...quickServerOptions(),
      // What is stored is kept, and is not this test's.
      registry: new InMemoryCodexNativeApiContinuationRegistry({ maxEntries: 0 }),
      limits,
    });
    const { port } = await server.start();
    t.teardown(() => server.destroy());
    const together = 60;
    const property = fc.asyncProperty(
      fc.array(anySendingPlan, { minLength: together, maxLength: together }),
      async (plans) => {
        const answers = await Promise.all(plans.map((plan) => send(port, plan)));
        for (const [index, answer] of answers.entries()) checkSending(plans[index], answer);
        const whole = { ...wholePlan, bytes: 255 * 1024 };
        const next = await send(port, whole);
        if (!/^HTTP\/1\.1 200 /.test(next)) throw new Error(`the next one: ${next.slice(0, 300)}`);
      },
    );
    const rounds = Math.max(2, Math.ceil(runs / together));
    await fc.assert(property, { seed, numRuns: 1, endOnFailure: true });
    const before = await measureHeap();
    await fc.assert(property, { seed: seed + 1, numRuns: rounds - 1, endOnFailure: true });
    const growth = (await measureHeap()) - before;
    t.ok(growth < maxGrowthBytes, `grew by ${growth} bytes`);
  },
);

const wholePlan: SendingPlan = {
  path: "/v1/responses",
  token: fuzzToken,
  bytes: 1000,
  isChunked: false,
  isAsked: false,
  share: 1,
  pieces: 1,
  ending: "waits",
};

function checkRefusal(answer: string): void {
  const shown = answer.slice(answer.lastIndexOf("\r\n\r\n") + 4);
  const parsed: unknown = JSON.parse(shown);
  if (typeof parsed !== "object" || parsed === null || !("error" in parsed)) throw new Error(shown);
}

function checkSending(plan: SendingPlan | undefined, answer: string): void {
  const described = () => new Error(`${JSON.stringify(plan)}: ${answer.slice(0, 400)}`);
  const final = answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, "");
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(final)?.[1] ?? 0);
  // Who leaves hears nothing, or what was said before.
  const mayBeSilent = plan?.ending === "half-closes" || plan?.ending === "resets";
  if (status === 0 && !mayBeSilent) throw described();
  if (status >= 500) throw described();
  if (status >= 400) checkRefusal(final);
}

/** All that comes until the connection is closed, by whichever side. */
function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(text);
  return listen(socket);
}

function listen(socket: ReturnType<typeof connect>): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = "";
    const deadline = setTimeout(() => socket.destroy(new Error(`no end after ${heard}`)), deadlineMs);
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.on("close", () => {
      clearTimeout(deadline);
      resolve(heard);
    });
  });
}

async function send(port: number, plan: SendingPlan): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const heard = listen(socket);
  socket.on("end", () => socket.end());
  await once(socket, "connect");
  const body = bodyOf(plan.bytes);
  const framing = plan.isChunked ? "transfer-encoding: chunked" : `content-length: ${body.length}`;
  const asked = plan.isAsked ? "expect: 100-continue\r\n" : "";
  socket.write(
    `POST ${plan.path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${plan.token}\r\nconnection: close\r\ncontent-type: application/json\r\n${asked}${framing}\r\n\r\n`,
  );
  const part = body.slice(0, Math.round(plan.share * body.length));
  const size = Math.max(1, Math.ceil(part.length / plan.pieces));
  for (let at = 0; at < part.length && socket.writable; at += size) {
    const piece = part.slice(at, at + size);
    socket.write(plan.isChunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (plan.isChunked && plan.share === 1) socket.write("0\r\n\r\n");
  if (plan.ending === "half-closes") socket.end();
  if (plan.ending === "resets") socket.resetAndDestroy();
  const dripping = setInterval(() => {
    if (plan.ending === "drips" && socket.writable) socket.write(plan.isChunked ? "1\r\n \r\n" : " ");
  }, 50);
  try {
    return await heard;
  } finally {
    clearInterval(dripping);
  }
}
