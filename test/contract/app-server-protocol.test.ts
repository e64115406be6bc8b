/** Compares what we rely on with the protocol that the installed binary prints of itself. */
import t from "tap";
import { z } from "zod";
import { protocolReliance } from "../../src/workers/app-server/protocol-reliance.js";
import { answerServerRequest } from "../../src/workers/app-server/server-request-policy.js";
import { generateProtocolSchema } from "../unit/workers/app-server/support/codex-binary.js";
import { SchemaReader, schemaOfValue } from "../unit/workers/app-server/support/json-schema.js";
import {
  findReadDrift,
  findWriteDrift,
  type Side,
} from "../unit/workers/app-server/support/protocol-drift.js";
import { ProtocolSchema } from "../unit/workers/app-server/support/protocol-schema.js";

const protocol = new ProtocolSchema(await generateProtocolSchema());

function ours(schema: z.ZodType): Side {
  const printed = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return { schema: printed, reader: new SchemaReader({ ...printed }) };
}

function theirs(schema: unknown): Side {
  return { schema, reader: protocol.reader };
}

t.test("each method we call takes what we send and answers what we read", async (t) => {
  const known = protocol.methods("ClientRequest");
  const drift = Object.entries(protocolReliance.methods).flatMap(([method, { params, result }]) => {
    const schema = known.get(method);
    if (schema === undefined) return [`${method}: is gone`];
    return [
      ...findWriteDrift(ours(params), theirs(schema.params), `${method} params`),
      ...findReadDrift(ours(result), theirs(schema.result), `${method} result`),
    ];
  });
  t.strictSame(drift, []);
});

t.test("each notification we read has the keys we read", async (t) => {
  const drift = protocolReliance.notifications.flatMap(([method, schema]) => {
    const sent = protocol.notificationParams(method);
    return sent === undefined ? [`${method}: is gone`] : findReadDrift(ours(schema), theirs(sent), method);
  });
  t.strictSame(drift, [
    // A warning that names no thread is read by another schema.
    "warning.threadId: may be absent",
    "warning.threadId: may be null, which we do not read",
  ]);
});

t.test("each notification is read or opted out of, and none of both lists is gone", async (t) => {
  const known = [...protocol.methods("ServerNotification").keys()];
  const read = protocolReliance.notifications.map(([method]) => method);
  // Read where an old version sends it, and opted out of because its news comes with an answer of ours already.
  const both = read.filter((method) => protocolReliance.optedOut.includes(method));
  t.strictSame(both, ["turn/started"]);
  t.strictSame(
    known.filter((method) => !read.includes(method) && !protocolReliance.optedOut.includes(method)),
    [],
    "nobody decided about these notifications",
  );
  t.strictSame(
    protocolReliance.optedOut.filter((method) => !known.includes(method)),
    [],
    "these are no longer sent",
  );
});

t.test("each request of the app-server's has an answer in the shape it asks for", async (t) => {
  const known = protocol.methods("ServerRequest");
  const answered = protocolReliance.serverRequests;
  t.strictSame(
    [...known.keys()].filter((method) => !answered.includes(method)),
    [],
    "these are answered by nothing but an error",
  );
  // Kept for the older versions that ask.
  t.strictSame(
    answered.filter((method) => !known.has(method)),
    ["currentTime/read"],
    "these are no longer asked",
  );
  const context = {
    callTool: () =>
      Promise.resolve({ success: true, contentItems: [{ type: "inputText", text: "ok" } as const] }),
    countFault: (name: string) => t.fail(`counted as a fault: ${name}`),
    wallClock: () => 1_700_000_000_500,
  };
  const params = { threadId: "t", turnId: "u", callId: "c", tool: "f", namespace: null, arguments: {} };
  const refused: string[] = [];
  for (const [method, { result }] of known) {
    const reply = await answerServerRequest(method, params, context);
    if ("error" in reply) {
      refused.push(method);
      continue;
    }
    const value = { schema: schemaOfValue(reply.result), reader: new SchemaReader({}) };
    t.strictSame(findWriteDrift(value, theirs(result), method), [], method);
  }
  t.strictSame(refused.sort(), ["account/chatgptAuthTokens/refresh", "attestation/generate"]);
});

t.test("each request of the app-server's that we read has the keys we read", async (t) => {
  const known = protocol.methods("ServerRequest");
  const drift = Object.entries(protocolReliance.serverRequestParams).flatMap(([method, schema]) => {
    return findReadDrift(ours(schema), theirs(known.get(method)?.params), method);
  });
  t.strictSame(drift, []);
});
