import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { testCodexBin } from "../codex-version.js";
import { isJsonObject, type JsonObject, type JsonValue, parseJsonObject } from "./json.js";

/** The smallest JSON-RPC client that can try the backend with the real app-server. Not the project's client. */
export class CodexDriver {
  /** Everything the app-server said unasked, in order: notifications and its own requests. */
  readonly messages: JsonObject[] = [];
  readonly #child;
  readonly #pending = new Map<number, (message: JsonObject) => void>();
  readonly #listeners = new Set<(message: JsonObject) => void>();
  #nextId = 1;

  constructor(home: string, environment: Readonly<Record<string, string>>, binary = codexBinary()) {
    const env = { PATH: process.env.PATH ?? "", HOME: home, CODEX_HOME: home, ...environment };
    // A process group of its own: the npm wrapper starts the binary as its child, and both must be stoppable.
    this.#child = spawn(binary, ["app-server"], { env, stdio: ["pipe", "pipe", "ignore"], detached: true });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#receive(line));
  }

  static async start(home: string, environment: Readonly<Record<string, string>>): Promise<CodexDriver> {
    const driver = new CodexDriver(home, environment);
    const clientInfo = { name: "offline-backend-test", title: null, version: "0" };
    await driver.call("initialize", { clientInfo, capabilities: { experimentalApi: true } });
    driver.#send({ method: "initialized" });
    return driver;
  }

  /** The result; a JSON-RPC error is thrown with the error object's JSON as its message. */
  async call(method: string, params: JsonObject = {}): Promise<JsonObject> {
    const id = this.#nextId++;
    const answer = new Promise<JsonObject>((resolve) => this.#pending.set(id, resolve));
    this.#send({ id, method, params });
    const message = await answer;
    if (!isJsonObject(message.result)) {
      throw new Error(`${method}: ${JSON.stringify(message.error)}`);
    }
    return message.result;
  }

  answer(id: JsonValue, result: JsonObject): void {
    this.#send({ id, result });
  }

  /** The first message of this method after `from` (an index into `messages`), old or still to come. */
  async waitFor(method: string, from = 0, timeoutMs = 60_000): Promise<JsonObject> {
    const known = this.messages.slice(from).find((message) => message.method === method);
    if (known !== undefined) {
      return known;
    }
    return await new Promise((resolve, reject) => {
      const listener = (message: JsonObject): void => {
        if (message.method === method) {
          clearTimeout(timer);
          this.#listeners.delete(listener);
          resolve(message);
        }
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(listener);
        reject(new Error(`No ${method} within ${timeoutMs} ms.`));
      }, timeoutMs);
      this.#listeners.add(listener);
    });
  }

  /** A lean ephemeral thread; its id. */
  async startThread(params: JsonObject = {}): Promise<string> {
    const { thread } = await this.call("thread/start", { ...LEAN_THREAD, ...params });
    return isJsonObject(thread) ? String(thread.id) : "";
  }

  /** Runs one turn to its end; the `turn` of `turn/completed`, and what came meanwhile. */
  async runTurn(threadId: string, text: string): Promise<{ turn: JsonObject; messages: JsonObject[] }> {
    const from = this.messages.length;
    await this.call("turn/start", { threadId, input: [{ type: "text", text }] });
    const { params } = await this.waitFor("turn/completed", from);
    const turn = isJsonObject(params) && isJsonObject(params.turn) ? params.turn : {};
    return { turn, messages: this.messages.slice(from) };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return;
    }
    const exited = once(this.#child, "exit");
    this.#child.stdin.end();
    const graceful = await Promise.race([exited, sleep(5_000, "late" as const, { ref: false })]);
    if (graceful === "late" && this.#child.pid !== undefined) {
      process.kill(-this.#child.pid, "SIGKILL");
      await exited;
    }
  }

  #send(message: JsonObject): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #receive(line: string): void {
    const message = parseJsonObject(line);
    if (message === undefined) {
      return;
    }
    const { id } = message;
    const pending =
      typeof id === "number" && message.method === undefined ? this.#pending.get(id) : undefined;
    if (pending !== undefined && typeof id === "number") {
      this.#pending.delete(id);
      pending(message);
      return;
    }
    this.messages.push(message);
    for (const listener of this.#listeners) {
      listener(message);
    }
  }
}

/** `TEST_CODEX_BIN`, else the npm package's own launcher. */
export function codexBinary(): string {
  return testCodexBin ?? fileURLToPath(new URL("../../../../node_modules/.bin/codex", import.meta.url));
}

/** The settings of a thread that sends the caller's own words and nothing else. */
const LEAN_THREAD: JsonObject = {
  model: "gpt-5.5",
  ephemeral: true,
  baseInstructions: "",
  environments: [],
  sandbox: "read-only",
  approvalPolicy: "never",
  experimentalRawEvents: true,
  config: {
    web_search: "disabled",
    include_permissions_instructions: false,
    include_apps_instructions: false,
    include_environment_context: false,
    include_collaboration_mode_instructions: false,
    project_doc_max_bytes: 0,
    "skills.include_instructions": false,
    "features.multi_agent": false,
    "features.apps": false,
    "features.plugins": false,
    "features.shell_tool": false,
    "features.goals": false,
    "features.view_image": false,
    "features.image_generation": false,
    "features.hooks": false,
    "features.skip_host_skill_discovery": true,
    "features.sleep_tool": false,
    "tools.experimental_request_user_input.enabled": false,
    "tools.update_plan.enabled": false,
    "agents.enabled": false,
  },
};
