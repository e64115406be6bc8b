import { optOutNotifications } from "../../src/workers/app-server/opt-out-notifications.js";
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";
import { threadStartParams } from "../../src/workers/turn/thread-params.js";
import { ToolNames } from "../../src/workers/turn/tool-names.js";
import { type Contestant, TurnClock, type TurnSample, turnDeadlineMs } from "./contestant.js";
import type { FloorWire } from "./floor-wires.js";

export interface FloorOptions {
  readonly name: string;
  readonly wire: FloorWire;
  readonly appServerPid: number | null;
  /** Parameters of `thread/start`. */
  readonly thread: JsonObject;
  /**
   * How the prompt gets to the model: as the turn's own input, which Codex reads as a person's text, or injected as an item, as
   * the service does with whatever it is sent.
   */
  readonly prompt: "input" | "injected";
}

interface RunningTurn {
  readonly clock: TurnClock;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const tools = new ToolNames({ tools: [], isLite: false }, null);

/** Codex drops turns out of a burst of starts; with no more than this under way it does not. The service's default, too. */
const startGate = 8;

/** What the service gives its isolated threads. */
export function leanThread(model: string, workDirectory: string): JsonObject {
  const settings = {
    form: "lean",
    isLite: false,
    modelCatalog: null,
    model,
    instructions: "",
    tools: [],
    webSearch: null,
    verbosity: null,
  } as const;
  return { ...threadStartParams(settings, tools, { workDirectory, codexVersion: null }) };
}

/**
 * The floor: the thinnest client of the app-server that works. It knows no errors, no cancelling and no limits but the one
 * above, and each turn starts its own thread.
 */
export class FloorClient implements Contestant {
  readonly name: string;
  readonly servicePid = null;
  readonly appServerPid: number | null;
  readonly #wire: FloorWire;
  readonly #calls = new Map<number, (message: JsonObject) => void>();
  readonly #turns = new Map<string, RunningTurn>();
  readonly #threadParams: JsonObject;
  readonly #injects: boolean;
  readonly #waitingToStart: (() => void)[] = [];
  #starting = 0;
  #lastId = 0;

  private constructor(options: FloorOptions) {
    this.name = options.name;
    this.appServerPid = options.appServerPid;
    this.#wire = options.wire;
    this.#threadParams = options.thread;
    this.#injects = options.prompt === "injected";
    this.#wire.onMessage = (text) => this.#receive(text);
    this.#wire.onClose = () => this.#abandon();
  }

  static async connect(options: FloorOptions): Promise<FloorClient> {
    const client = new FloorClient(options);
    await client.#call("initialize", {
      clientInfo: { name: "bench-floor", title: null, version: "0" },
      capabilities: { experimentalApi: true, optOutNotificationMethods: [...optOutNotifications] },
    });
    client.#send({ method: "initialized" });
    return client;
  }

  async runTurn(prompt: string): Promise<TurnSample> {
    const clock = new TurnClock();
    await this.#enterGate();
    let completed: Promise<void>;
    let threadId: string;
    try {
      threadId = await this.#startThread();
      completed = this.#untilCompleted(threadId, clock);
      await Promise.race([completed, this.#startTurn(threadId, prompt)]);
    } finally {
      this.#leaveGate();
    }
    await completed;
    const sample = clock.finish();
    this.#send({ id: ++this.#lastId, method: "thread/unsubscribe", params: { threadId } });
    return sample;
  }

  close(): void {
    this.#wire.close();
    this.#abandon();
  }

  async #enterGate(): Promise<void> {
    if (this.#starting < startGate) this.#starting++;
    else await new Promise<void>((resolve) => this.#waitingToStart.push(resolve));
  }

  /** Hands the place over, or gives it back. */
  #leaveGate(): void {
    const next = this.#waitingToStart.shift();
    if (next === undefined) this.#starting--;
    else next();
  }

  async #startThread(): Promise<string> {
    const { thread } = await this.#call("thread/start", this.#threadParams);
    if (!isJsonObject(thread) || typeof thread.id !== "string") throw new Error("no thread was started");
    return thread.id;
  }

  async #startTurn(threadId: string, prompt: string): Promise<void> {
    if (this.#injects) {
      const item = { type: "message", role: "user", content: [{ type: "input_text", text: prompt }] };
      await this.#call("thread/inject_items", { threadId, items: [item] });
    }
    await this.#call("turn/start", {
      threadId,
      input: this.#injects ? [] : [{ type: "text", text: prompt }],
    });
  }

  #untilCompleted(threadId: string, clock: TurnClock): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    return new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error("no turn/completed in time")), turnDeadlineMs);
      this.#turns.set(threadId, { clock, resolve, reject });
    }).finally(() => {
      clearTimeout(timer);
      this.#turns.delete(threadId);
    });
  }

  async #call(method: string, params: JsonObject): Promise<JsonObject> {
    const id = ++this.#lastId;
    const answer = new Promise<JsonObject>((resolve) => this.#calls.set(id, resolve));
    this.#send({ id, method, params });
    const { result, error } = await answer;
    if (!isJsonObject(result)) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  #send(message: JsonObject): void {
    this.#wire.send(JSON.stringify(message));
  }

  #receive(text: string): void {
    const message: unknown = JSON.parse(text);
    if (!isJsonObject(message)) return;
    const { id, method, params } = message;
    if (typeof id === "number" && method === undefined) {
      this.#calls.get(id)?.(message);
      this.#calls.delete(id);
      return;
    }
    if (!isJsonObject(params) || typeof params.threadId !== "string") return;
    const turn = this.#turns.get(params.threadId);
    if (turn === undefined) return;
    if (method === "item/agentMessage/delta") turn.clock.noteDelta(String(params.delta));
    else if (method === "turn/completed") settle(turn, params);
  }

  /** The wire is gone, and so are those who wait on it. */
  #abandon(): void {
    const error = { message: "the app-server's wire closed" };
    for (const answer of this.#calls.values()) answer({ error });
    for (const turn of this.#turns.values()) turn.reject(new Error(error.message));
    this.#calls.clear();
  }
}

function settle(turn: RunningTurn, params: JsonObject): void {
  const status = isJsonObject(params.turn) ? params.turn.status : null;
  if (status === "completed") turn.resolve();
  else turn.reject(new Error(`the turn ended as ${JSON.stringify(params.turn)}`));
}
