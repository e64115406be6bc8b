/** A host whose own runtime is behind the listener. All that it needs is imported from the package's root. */
import OpenAI from "openai";
import t from "tap";
import {
  CodexNativeApiError,
  CodexNativeApiServer,
  InMemoryCodexNativeApiContinuationRegistry,
  type IsolatedTurnHandlers,
  type IsolatedTurnRequest,
  type IsolatedTurnResult,
  type NativeModel,
  type NativeRuntimeHealth,
  type NativeTurnRuntime,
} from "../../src/main/index.js";

/** Answers with the number of items it was given: no Codex anywhere. */
class CountingRuntime implements NativeTurnRuntime {
  health(): NativeRuntimeHealth {
    return {
      readiness: { ready: true },
      providerProfileId: "counting",
      providerKind: "in-house",
      account: null,
      rateLimits: null,
      codexVersion: null,
      profile: "lean",
      appServer: null,
      workers: [],
      spareThreads: { ready: 0, taken: 0, missed: 0, discarded: 0 },
      queue: { depth: 0, running: 0 },
      degraded: [],
    };
  }

  async listModels(): Promise<readonly NativeModel[]> {
    const facts = { description: "Counts items", isDefault: true, hidden: false, serviceTiers: [] };
    const efforts = { defaultReasoningEffort: "low", supportedReasoningEfforts: ["low"] };
    return [{ id: "counter", displayName: "Counter", inputModalities: ["text"], ...facts, ...efforts }];
  }

  async runIsolatedTurn(
    { items, model = "counter" }: IsolatedTurnRequest,
    { onTurnStarted, onEvent }: IsolatedTurnHandlers = {},
  ): Promise<IsolatedTurnResult> {
    if (model !== "counter") throw new CodexNativeApiError("model_not_found", `There is no ${model}.`);
    const { providerProfileId, providerKind } = this.health();
    const target = {
      providerProfileId,
      providerKind,
      accountId: null,
      workerId: "here",
      appServerGeneration: 1,
    };
    const started = { threadId: "t1", turnId: "n1", model, target };
    onTurnStarted?.(started);
    const text = String(items.length);
    await onEvent?.({ type: "item.started", itemId: "m1", itemType: "message" });
    await onEvent?.({ type: "text.delta", itemId: "m1", delta: text });
    const content = [{ type: "output_text", text }];
    await onEvent?.({
      type: "item.completed",
      item: { type: "message", id: "m1", role: "assistant", content },
    });
    return { ...started, outcome: { status: "completed" }, usage: null };
  }

  async continueIsolatedTurn(): Promise<null> {
    return null;
  }

  async continueThread(): Promise<null> {
    return null;
  }

  releaseThread(): void {}

  findParkedTurn(): null {
    return null;
  }

  abandonTurn(): void {}
}

t.test("a runtime of the host's own is served in both dialects, with chains and errors", async (t) => {
  const server = new CodexNativeApiServer({
    runtime: new CountingRuntime(),
    registry: new InMemoryCodexNativeApiContinuationRegistry(),
    host: "127.0.0.1",
    port: 0,
    authToken: null,
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 1_000_000,
    unsupportedParameters: "ignore",
    version: "1.0.0",
  });
  t.teardown(() => server.destroy());
  const { url } = await server.start();
  const client = new OpenAI({ apiKey: "unused", baseURL: `${url}/v1`, maxRetries: 0 });
  const first = await client.responses.create({ model: "counter", input: "one" });
  t.equal(first.output_text, "1");
  const second = await client.responses.create({ input: "two", previous_response_id: first.id });
  t.equal(second.output_text, "3", "the whole chain is replayed to it");
  const messages = [{ role: "user", content: "hello" }] as const;
  const chat = await client.chat.completions.create({ model: "counter", messages: [...messages] });
  t.equal(chat.choices[0]?.message.content, "1");
  await t.rejects(client.responses.create({ model: "other", input: "x" }), {
    status: 404,
    code: "model_not_found",
  });
  await server.close({ graceMs: 0 });
});
