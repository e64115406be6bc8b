/** The connection against the installed Codex, on both transports that the service uses. */
import t, { type Test } from "tap";
import {
  AppServerConnection,
  type AppServerConnectionOptions,
  type ConnectionStateChange,
} from "../../src/workers/app-server/connection.js";
import type { ThreadNotification, ToolCallAnswer } from "../../src/workers/app-server/protocol.js";
import { functionCall, text } from "../support/offline-backend/index.js";
import { FaultLog } from "../unit/workers/app-server/support/collect-faults.js";
import {
  type RealAppServer,
  startRealAppServer,
} from "../unit/workers/app-server/support/real-app-server.js";
import { RecordingListener } from "../unit/workers/app-server/support/recording-listener.js";

const inTime = { timeoutMs: 30_000 };
const kinds = ["stdio", "unix"] as const;

class TurnListener extends RecordingListener {
  readonly ended: Promise<ThreadNotification>;
  #end: (notification: ThreadNotification) => void = () => {};

  constructor(answer?: ToolCallAnswer) {
    super();
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    if (answer !== undefined) this.answer = async () => answer;
  }

  override onNotification(notification: ThreadNotification): void {
    super.onNotification(notification);
    if (notification.method === "turn/completed") this.#end(notification);
  }

  get methods(): string[] {
    return [...new Set(this.notifications.map(({ method }) => method))];
  }

  get text(): string {
    return this.notifications
      .map((notification) =>
        notification.method === "item/agentMessage/delta" ? notification.params.delta : "",
      )
      .join("");
  }
}

function connect(t: Test, server: RealAppServer, overrides: Partial<AppServerConnectionOptions> = {}) {
  const faults = new FaultLog();
  const changes: ConnectionStateChange[] = [];
  const children: (number | null)[] = [];
  const connection = new AppServerConnection({
    clientName: "codex-native-api",
    clientVersion: "0.1.0",
    countFault: faults.count,
    backoff: { minMs: 20, maxMs: 200, random: Math.random },
    callbacks: {
      onStateChange: (change) => changes.push(change),
      onAccountNotice: () => {},
      onChild: (pid) => {
        children.push(pid);
        server.pid = pid;
      },
    },
    ...overrides,
  });
  t.teardown(() => connection.close());
  connection.connect(server.endpoint, 1);
  return { connection, faults, changes, children };
}

async function startThread(connection: AppServerConnection, tools = false): Promise<string> {
  await connection.whenReady(inTime);
  const weather = {
    type: "function" as const,
    name: "get_weather",
    description: "The weather.",
    inputSchema: { type: "object", properties: { city: { type: "string" } } },
  };
  const { thread } = await connection.call(
    "thread/start",
    {
      model: "gpt-5.5",
      ephemeral: true,
      experimentalRawEvents: true,
      approvalPolicy: "never",
      sandbox: "read-only",
      baseInstructions: "",
      environments: [],
      ...(tools ? { dynamicTools: [weather] } : {}),
    },
    inTime,
  );
  return thread.id;
}

function message(content: string) {
  return { type: "message", role: "user", content: [{ type: "input_text", text: content }] };
}

function signalProcess(server: RealAppServer, signal: NodeJS.Signals): void {
  if (server.pid === null) throw new Error("no process yet");
  process.kill(server.pid, signal);
}

async function whenLost(connection: AppServerConnection, threadId: string): Promise<Error> {
  const listener = new RecordingListener();
  return new Promise((resolve) => {
    listener.onConnectionLost = resolve;
    connection.subscribeThread(threadId, listener);
  });
}

for (const kind of kinds) {
  t.test(`${kind}: a turn with a tool call runs from injected items to its end`, async (t) => {
    const server = await startRealAppServer(t, kind);
    const { connection, faults, changes } = connect(t, server);
    server.backend.queueReply(
      functionCall({ name: "get_weather", arguments: { city: "Kyiv" } }),
      text("It rains."),
    );
    const threadId = await startThread(connection, true);
    const listener = new TurnListener({
      success: true,
      contentItems: [{ type: "inputText", text: "rain" }],
    });
    const unsubscribe = connection.subscribeThread(threadId, listener);
    await connection.call("thread/inject_items", { threadId, items: [message("Weather?")] }, inTime);
    const { turn } = await connection.call("turn/start", { threadId, input: [] }, inTime);
    t.match(await listener.ended, { params: { turn: { id: turn.id, status: "completed", error: null } } });
    unsubscribe();
    t.match(listener.calls, [{ turnId: turn.id, tool: "get_weather", arguments: { city: "Kyiv" } }]);
    t.equal(listener.text, "It rains.");
    t.notOk(listener.methods.includes("turn/started"), "opted out");
    for (const method of [
      "rawResponseItem/completed",
      "rawResponse/completed",
      "thread/tokenUsage/updated",
    ]) {
      t.ok(listener.methods.includes(method), method);
    }
    t.match(await connection.call("thread/unsubscribe", { threadId }, inTime), { status: "unsubscribed" });
    t.match(connection.codexVersion, /^\d+\.\d+\.\d+/);
    t.equal(connection.reconnects, 0);
    t.strictSame(changes.map(({ state }) => state).at(-1), "ready");
    t.strictSame(
      Object.keys(faults.counts).filter((name) => name !== "dial_failed"),
      [],
    );
  });

  t.test(`${kind}: each call that we make is answered in the shape we read`, async (t) => {
    const { connection } = connect(t, await startRealAppServer(t, kind));
    const threadId = await startThread(connection);
    t.strictSame(await connection.call("account/read", {}, inTime), {
      account: null,
      requiresOpenaiAuth: false,
      userId: null,
      workspaceRouting: null,
    });
    t.ok((await connection.call("model/list", { includeHidden: true }, inTime)).data.length > 0);
    t.strictSame((await connection.call("thread/loaded/list", {}, inTime)).data, [threadId]);
    t.match(await connection.call("thread/read", { threadId }, inTime), {
      thread: { id: threadId, status: { type: "idle" }, turns: [] },
    });
    await connection.call("thread/loaded/list", { limit: 1 }, inTime);
    await t.rejects(connection.call("turn/interrupt", { threadId, turnId: "none" }, inTime), {
      code: "rpc_error",
    });
    await t.rejects(connection.call("account/rateLimits/read", {}, inTime), { code: "rpc_error" });
  });

  t.test(`${kind}: a message over the server's frame bound does not cost the connection`, async (t) => {
    const { connection } = connect(t, await startRealAppServer(t, kind));
    const threadId = await startThread(connection);
    const items = Array.from({ length: 20 }, () => message("x".repeat(1_000_000)));
    await connection.call("thread/inject_items", { threadId, items }, inTime);
    t.equal(connection.reconnects, 0);
    await connection.call("thread/loaded/list", { limit: 1 }, inTime);
  });

  t.test(`${kind}: a killed app-server is told, and the next one is connected to`, async (t) => {
    const server = await startRealAppServer(t, kind);
    const { connection } = connect(t, server);
    const lost = whenLost(connection, await startThread(connection));
    const first = server.pid;
    signalProcess(server, "SIGKILL");
    t.match(await lost, { code: "connection_lost" });
    if (kind === "unix") await server.restart();
    await startThread(connection);
    t.equal(connection.reconnects, 1);
    t.not(server.pid, first);
  });

  t.test(`${kind}: a stopped app-server, whose socket stays open, is noticed by the probe`, async (t) => {
    const server = await startRealAppServer(t, kind);
    const { connection, faults } = connect(t, server, {
      probe: { idleMs: 50, silentMs: 500, timeoutMs: 500 },
    });
    const lost = whenLost(connection, await startThread(connection));
    signalProcess(server, "SIGSTOP");
    t.match(await lost, { code: "connection_lost", cause: { code: "transport_failed" } });
    t.equal(faults.counts.peer_hung, 1);
    if (kind === "unix") signalProcess(server, "SIGCONT");
    await startThread(connection);
  });

  t.test(`${kind}: a close ends in order and leaves no process of ours`, async (t) => {
    const server = await startRealAppServer(t, kind);
    const { connection, changes, children } = connect(t, server);
    const lost = whenLost(connection, await startThread(connection));
    await connection.close();
    t.match(await lost, { code: "connection_lost" });
    t.equal(changes.at(-1)?.state, "closed");
    t.equal(children.at(-1) ?? null, null);
    t.equal(children.length, kind === "stdio" ? 2 : 0);
  });
}
