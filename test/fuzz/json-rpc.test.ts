/** What an app-server could send: frames that are nearly right, in pieces, or noise. None throws, none is taken for another. */
import fc from "fast-check";
import t, { type Test } from "tap";
import { JsonRpcClient } from "../../src/workers/app-server/json-rpc-client.js";
import { NotificationRouter } from "../../src/workers/app-server/notification-router.js";
import type { ThreadNotification } from "../../src/workers/app-server/protocol.js";
import {
  answerServerRequest,
  serverRequestAnswers,
} from "../../src/workers/app-server/server-request-policy.js";
import { LineDecoder } from "../../src/workers/app-server/stdio-transport.js";
import { threadNotificationSchemas } from "../../src/workers/app-server/thread-methods.js";
import { encodeTextFragments } from "../../src/workers/app-server/websocket-transport.js";
import { MemoryPeer } from "../support/memory-transport.js";
import { measureHeap, planFuzz } from "./support/fuzz-plan.js";
import { almost, anyJson, anyText, asText } from "./support/json-values.js";
import { cutAt } from "./support/raw-bytes.js";

// On a machine with other work it takes its time; how much is tried does not depend on that.
t.setTimeout(900_000);

const maxGrowthBytes = 8 * 1024 * 1024;

const methods = fc.oneof(
  fc.constantFrom(...Object.keys(threadNotificationSchemas)),
  fc.constantFrom(
    ...Object.keys(serverRequestAnswers),
    "account/updated",
    "account/rateLimits/updated",
    "warning",
  ),
  anyText,
);

const params = almost(
  { threadId: ["t-1", "t-1", "t-2"], turnId: ["u-1"] },
  {
    itemId: ["i-1"],
    delta: anyText,
    item: almost(
      { type: ["agentMessage", "reasoning", "odd"], id: ["i-1"] },
      { text: anyText, content: anyJson },
    ),
    turn: almost({ id: ["u-1"], status: ["completed", "failed", "odd"] }, { error: anyJson, items: anyJson }),
    error: almost({ message: anyText }, { codexErrorInfo: anyJson }),
    tool: ["lookup"],
    callId: ["c-1"],
    arguments: anyJson,
    tokenUsage: anyJson,
    rateLimits: anyJson,
  },
);

const ids = fc.oneof(fc.nat(5), anyText, fc.constantFrom(null, -1, 1.5, 2 ** 60, true));

/** Notifications, requests and answers, and what is none of them. */
const anyFrame = asText(
  fc.oneof(
    { weight: 6, arbitrary: almost({ method: methods, params }) },
    { weight: 3, arbitrary: almost({ method: methods, params, id: ids }) },
    {
      weight: 3,
      arbitrary: almost(
        { id: ids },
        { result: anyJson, error: almost({ code: [-32600], message: anyText }) },
      ),
    },
    { weight: 1, arbitrary: anyJson },
  ),
);

/** A connection's reading side, as `AppServerConnection` puts it together. */
async function openReader(t: Test) {
  const faults = new Map<string, number>();
  const countFault = (name: string) => void faults.set(name, (faults.get(name) ?? 0) + 1);
  const heard: ThreadNotification[] = [];
  const router = new NotificationRouter({
    maxThreadListeners: 10,
    countFault,
    onNotice: () => {},
  });
  router.subscribe("t-1", {
    onNotification: (notification) => {
      heard[0] = notification;
    },
    onToolCall: async () => ({ success: true, contentItems: [] }),
    onConnectionLost: () => {},
  });
  const context = {
    callTool: (threadId: string, call: Parameters<NotificationRouter["callTool"]>[1]) =>
      router.callTool(threadId, call),
    countFault,
    wallClock: () => 0,
  };
  const peer = new MemoryPeer();
  const client = new JsonRpcClient({
    transport: peer.transport,
    onNotification: router.route,
    onRequest: (method, given) => answerServerRequest(method, given, context),
    onClose: () => {},
    countFault,
    now: () => 0,
    maxGarbageInARow: Number.POSITIVE_INFINITY,
    maxOpenRequests: 1_000,
  });
  await client.start({ openTimeoutMs: 1_000 });
  t.teardown(() => client.close());
  return { peer, client, faults, heard };
}

t.test("generated frames end no connection, break no reader and answer no call but their own", async (t) => {
  const { seed, runs } = planFuzz(t, 100_000);
  const { peer, client, faults, heard } = await openReader(t);
  const property = fc.asyncProperty(anyFrame, async (frame) => {
    peer.sendText(frame);
    // Requests are answered in later turns of the loop.
    peer.received.length = 0;
  });
  await fc.assert(property, { seed, numRuns: Math.ceil(runs / 10) });
  const before = await measureHeap();
  await fc.assert(property, { seed: seed + 1, numRuns: runs - Math.ceil(runs / 10) });
  const growth = (await measureHeap()) - before;
  t.ok(growth < maxGrowthBytes, `grew by ${growth} bytes`);
  t.comment(`faults counted: ${JSON.stringify(Object.fromEntries(faults))}`);
  t.notOk(faults.has("message_handler_threw"), "no reader threw");
  t.notOk(faults.has("request_handler_threw"), "no answer threw");
  t.ok(heard.length > 0, "some were right");
  const answer = client.call("model/list", {}, { timeoutMs: 5_000 });
  const { id } = await peer.take("model/list");
  peer.send({ id, result: "its own" });
  t.equal(await answer, "its own");
});

t.test("lines come whole out of any cuts, and what is kept of one has its bound", async (t) => {
  const { seed, runs } = planFuzz(t, 20_000);
  const maxLineBytes = 64;
  const line = fc.oneof(
    anyText.map((text) => Buffer.from(text.replaceAll("\n", ""))),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a))),
  );
  const property = fc.property(
    fc.array(line, { maxLength: 5 }),
    fc.array(fc.nat(300), { maxLength: 6 }),
    (lines, cuts) => {
      const decoder = new LineDecoder(maxLineBytes);
      const tooLong = lines.findIndex(({ length }) => length > maxLineBytes);
      const whole = lines
        .slice(0, tooLong === -1 ? undefined : tooLong)
        .map((bytes) => bytes.toString("utf8"));
      const read: string[] = [];
      let failure: unknown = null;
      try {
        for (const chunk of cutAt(Buffer.concat(lines.flatMap((one) => [one, Buffer.from("\n")])), cuts)) {
          decoder.push(chunk, (text) => read.push(text));
          if (decoder.bufferedBytes > maxLineBytes) throw new Error(`keeps ${decoder.bufferedBytes} bytes`);
        }
      } catch (error) {
        failure = error;
      }
      const isExpected = (failure !== null) === (tooLong !== -1);
      return isExpected && JSON.stringify(read) === JSON.stringify(whole.filter((text) => text !== ""));
    },
  );
  fc.assert(property, { seed, numRuns: runs });
  t.pass("every cut gave the same lines");
});

t.test("fragments of a message hold it whole, none larger than its bound", async (t) => {
  const { seed, runs } = planFuzz(t, 10_000);
  const property = fc.property(
    fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 5 }),
    fc.integer({ min: 1, max: 64 }),
    (parts, maxFrameBytes) => {
      const whole = Buffer.concat(parts);
      if (whole.length === 0) return true;
      const wire = Buffer.concat([...encodeTextFragments(parts, maxFrameBytes)]);
      const payloads: Buffer[] = [];
      for (let at = 0; at < wire.length; ) {
        const bytes = Number(wire.readBigUInt64BE(at + 2));
        const isLast = at + 14 + bytes === wire.length;
        const opcode = (isLast ? 0x80 : 0) | (at === 0 ? 1 : 0);
        if (wire[at] !== opcode || bytes > maxFrameBytes) return false;
        payloads.push(wire.subarray(at + 14, at + 14 + bytes));
        at += 14 + bytes;
      }
      return Buffer.concat(payloads).equals(whole);
    },
  );
  fc.assert(property, { seed, numRuns: runs });
  t.pass("every message came through");
});
