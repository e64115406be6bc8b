/**
 * Compares what we rely on with the protocol that a Codex prints of itself: the one that `TEST_CODEX_BIN` names, else the
 * installed one. Of a version older than the newest tested one only what is listed below may be missing.
 */
import t from "tap";
import { z } from "zod";
import {
  accountNotificationSchemas,
  serverNoticeSchemas,
} from "../../src/workers/app-server/account-methods.js";
import { optOutNotifications } from "../../src/workers/app-server/opt-out-notifications.js";
import { methods } from "../../src/workers/app-server/protocol.js";
import {
  answerServerRequest,
  serverRequestAnswers,
  toolCallParams,
} from "../../src/workers/app-server/server-request-policy.js";
import { threadNotificationSchemas } from "../../src/workers/app-server/thread-methods.js";
import { isAtLeast, newestTestedCodex } from "../../src/workers/contract/codex-capabilities.js";
import { codexErrorKinds } from "../../src/workers/turn/upstream-faults.js";
import { testCodexVersion } from "../support/codex-version.js";
import { generateProtocolSchema } from "../unit/workers/app-server/support/codex-binary.js";
import { SchemaReader, schemaOfValue } from "../unit/workers/app-server/support/json-schema.js";
import {
  findReadDrift,
  findWriteDrift,
  type Side,
} from "../unit/workers/app-server/support/protocol-drift.js";
import { ProtocolSchema } from "../unit/workers/app-server/support/protocol-schema.js";

/** Everything of the app-server's protocol that this service relies on. */
const relied = {
  /** What we send, and what we read of the answer. */
  methods: Object.entries<{ readonly params: z.ZodType; readonly result: z.ZodType }>(methods),
  /** What we read of each notification; one method may be read in more than one way. */
  notifications: [threadNotificationSchemas, accountNotificationSchemas, serverNoticeSchemas].flatMap(
    (schemas) => Object.entries<z.ZodType>(schemas),
  ),
  optedOut: optOutNotifications,
  /** Requests of the app-server that have an answer, and what we read of them. */
  serverRequests: Object.keys(serverRequestAnswers),
  serverRequestParams: Object.entries<z.ZodType>({ "item/tool/call": toolCallParams }),
};

const protocol = new ProtocolSchema(await generateProtocolSchema());

/** What came with which release, and is done without before it. */
const missingBefore: readonly (readonly [minor: number, drift: readonly string[]])[] = [
  [
    150,
    [
      "rawResponse/completed: is gone",
      "configRequirements/read result.requirements.additionalDeveloperInstructions: is gone",
      ...["total", "last"].map(
        (sum) => `thread/tokenUsage/updated.tokenUsage.${sum}.cacheWriteInputTokens: is gone`,
      ),
      // Functions name their namespaces there.
      "thread/start params.dynamicTools[].inputSchema: is required",
      "thread/start params.dynamicTools[].tools: is no longer taken",
      "thread/start params.dynamicTools[].type: is no longer taken",
      // Asked by no thread of the kind we start.
      ...["applyPatchApproval", "execCommandApproval"].flatMap((method) => [
        `${method}.decision.approved_execpolicy_amendment: is required`,
        `${method}.decision.denied: is no longer taken`,
      ]),
    ],
  ],
  [
    160,
    [
      "account/read result.workspaceRouting: is gone",
      // Printed as a method without params, whose result cannot be found by their name.
      "account/rateLimits/read params: object is no longer taken",
      "account/rateLimits/read result: may be anything now",
    ],
  ],
  // The question for diagnostics has an error for an answer there.
  [169, ["account/read result.userId: is gone", "server/diagnostics: is gone"]],
];

/** What ended with which release, and is sent to older ones alone. */
const missingSince: readonly (readonly [minor: number, drift: readonly string[]])[] = [
  [150, ["thread/start params.dynamicTools[].namespace: is no longer taken"]],
];

/** What Codex answers and does not print. It is sent to tested versions alone, with each of which the end-to-end tests send it. */
const unprinted: readonly string[] = ["getAuthStatus: is gone"];

/** The drift that is not known of this version. */
function unexpected(drift: readonly string[]): readonly string[] {
  const isBefore = (minor: number) => !isAtLeast(testCodexVersion, 0, minor);
  const known = [
    ...missingBefore.flatMap(([minor, lines]) => (isBefore(minor) ? lines : [])),
    ...missingSince.flatMap(([minor, lines]) => (isBefore(minor) ? [] : lines)),
  ];
  return drift.filter((line) => !known.includes(line) && !unprinted.includes(line));
}

const [newestMajor = 0, newestMinor = 0] = newestTestedCodex.split(".").map(Number);
/** What is listed for it, an older version need not know. */
const isNewest = isAtLeast(testCodexVersion, newestMajor, newestMinor);
t.comment(`Codex ${testCodexVersion}`);

function ours(schema: z.ZodType): Side {
  const printed = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return { schema: printed, reader: new SchemaReader({ ...printed }) };
}

function theirs(schema: unknown): Side {
  return { schema, reader: protocol.reader };
}

t.test("each method we call takes what we send and answers what we read", async (t) => {
  const known = protocol.methods("ClientRequest");
  const drift = relied.methods.flatMap(([method, { params, result }]) => {
    const schema = known.get(method);
    if (schema === undefined) return [`${method}: is gone`];
    return [
      ...findWriteDrift(ours(params), theirs(schema.params), `${method} params`),
      ...findReadDrift(ours(result), theirs(schema.result), `${method} result`),
    ];
  });
  t.strictSame(unexpected(drift), []);
});

t.test("each notification we read has the keys we read", async (t) => {
  const drift = relied.notifications.flatMap(([method, schema]) => {
    const sent = protocol.notificationParams(method);
    return sent === undefined ? [`${method}: is gone`] : findReadDrift(ours(schema), theirs(sent), method);
  });
  t.strictSame(unexpected(drift), [
    // A warning that names no thread is read by another schema.
    "warning.threadId: may be absent",
    "warning.threadId: may be null, which we do not read",
  ]);
});

t.test("each notification is read or opted out of, and none of both lists is gone", async (t) => {
  const known = [...protocol.methods("ServerNotification").keys()];
  const read = relied.notifications.map(([method]) => method);
  // Read where an old version sends it, and opted out of because its news comes with an answer of ours already.
  const both = read.filter((method) => relied.optedOut.includes(method));
  t.strictSame(both, ["turn/started"]);
  t.strictSame(
    known.filter((method) => !read.includes(method) && !relied.optedOut.includes(method)),
    [],
    "nobody decided about these notifications",
  );
  t.strictSame(
    relied.optedOut.filter((method) => isNewest && !known.includes(method)),
    [],
    "these are no longer sent",
  );
});

t.test("each request of the app-server's has an answer in the shape it asks for", async (t) => {
  const known = protocol.methods("ServerRequest");
  const answered = relied.serverRequests;
  t.strictSame(
    [...known.keys()].filter((method) => !answered.includes(method)),
    [],
    "these are answered by nothing but an error",
  );
  // Kept for the older versions that ask.
  t.strictSame(
    answered.filter((method) => !known.has(method) && method !== "currentTime/read"),
    [],
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
    t.strictSame(unexpected(findWriteDrift(value, theirs(result), method)), [], method);
  }
  t.strictSame(refused.sort(), ["account/chatgptAuthTokens/refresh", "attestation/generate"]);
});

t.test("each request of the app-server's that we read has the keys we read", async (t) => {
  const known = protocol.methods("ServerRequest");
  const drift = relied.serverRequestParams.flatMap(([method, schema]) => {
    return findReadDrift(ours(schema), theirs(known.get(method)?.params), method);
  });
  t.strictSame(drift, []);
});

t.test(
  "each kind of error that Codex names has a row in the table, and no row has lost its kind",
  async (t) => {
    const known = protocol.errorKinds();
    t.strictSame(
      known.filter((kind) => codexErrorKinds[kind] === undefined),
      [],
      "these kinds have no row in upstream-faults.ts",
    );
    // An older Codex lacks some.
    if (!isNewest) return;
    t.strictSame(
      Object.keys(codexErrorKinds).filter((kind) => !known.includes(kind)),
      [],
      "these rows are of kinds that Codex no longer has",
    );
  },
);
