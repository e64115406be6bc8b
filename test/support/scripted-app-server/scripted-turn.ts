import type { JsonObject } from "../../../src/workers/contract/json.js";
import type { ScriptedClient } from "./scripted-app-server.js";

const usage = {
  totalTokens: 12,
  inputTokens: 7,
  cachedInputTokens: 0,
  cacheWriteInputTokens: 0,
  outputTokens: 5,
  reasoningOutputTokens: 0,
};

/** A turn's notifications, one by one, so that a test leaves out those it wants lost. */
export class ScriptedTurn {
  readonly client: ScriptedClient;
  readonly threadId: string;
  readonly turnId: string;
  readonly itemId: string;

  constructor(client: ScriptedClient, threadId: string, turnId: string) {
    this.client = client;
    this.threadId = threadId;
    this.turnId = turnId;
    this.itemId = `msg-${turnId}`;
  }

  started(): void {
    this.#notify("turn/started", { turn: { id: this.turnId } });
  }

  itemStarted(): void {
    this.#notify("item/started", { item: this.#threadItem("") });
  }

  delta(delta: string): void {
    this.#notify("item/agentMessage/delta", { itemId: this.itemId, delta });
  }

  itemCompleted(text: string): void {
    this.#notify("item/completed", { item: this.#threadItem(text) });
  }

  rawItem(text: string): void {
    const content = [{ type: "output_text", text, annotations: [] }];
    const item = { type: "message", id: this.itemId, role: "assistant", status: "completed", content };
    this.#notify("rawResponseItem/completed", { item });
  }

  modelCallCompleted(): void {
    this.#notify("rawResponse/completed", { responseId: `resp-${this.turnId}`, usage });
  }

  completed(text: string | null): void {
    const items = text === null ? [] : [this.#threadItem(text)];
    this.#notify("turn/completed", { turn: { id: this.turnId, status: "completed", error: null, items } });
  }

  interrupted(): void {
    this.#notify("turn/completed", {
      turn: { id: this.turnId, status: "interrupted", error: null, items: [] },
    });
  }

  /** The model calls a function of the caller's, and Codex asks for its output. Resolves with the answer to that. */
  callFunction(name: string, callId: string): Promise<JsonObject> {
    const item = { type: "function_call", id: `fc-${callId}`, call_id: callId, name, arguments: "{}" };
    this.#notify("rawResponseItem/completed", { item });
    this.modelCallCompleted();
    const { threadId, turnId } = this;
    return this.client.ask("item/tool/call", { threadId, turnId, callId, tool: name, arguments: {} });
  }

  threadClosed(): void {
    this.#notify("thread/closed", {});
  }

  /** All that a message brings, up to the end of the model's answer. */
  message(text: string): void {
    this.itemStarted();
    this.delta(text);
    this.itemCompleted(text);
    this.rawItem(text);
    this.modelCallCompleted();
  }

  #threadItem(text: string): JsonObject {
    return { type: "agentMessage", id: this.itemId, text };
  }

  #notify(method: string, params: JsonObject): void {
    this.client.send({ method, params: { threadId: this.threadId, turnId: this.turnId, ...params } });
  }
}

/** A turn without faults. */
export function speak(text: string): (turn: ScriptedTurn) => void {
  return (turn) => {
    turn.started();
    turn.message(text);
    turn.completed(text);
  };
}
