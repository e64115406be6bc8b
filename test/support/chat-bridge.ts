/**
 * A chat bridge beside the service, which behaves as CodexBridge does unmodified: what it sends and for how long it waits, on which
 * answers it runs the task on its own runtime instead, and what it reads of the others.
 */
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";

/** What CodexBridge says of the command for which a task runs. */
export interface PromptContext {
  readonly mode: string;
  readonly title: string;
  readonly source: string | null;
  readonly command: string | null;
  readonly subcommand: string | null;
  readonly operation: string | null;
}

export interface BridgeTask {
  readonly taskClass: string;
  readonly prompt: string;
  readonly context: PromptContext;
  readonly threadMetadata: JsonObject;
  readonly cwd?: string | null;
  readonly effort?: string;
}

export interface BridgeSession {
  readonly id: string;
  readonly providerProfileId: string;
  readonly threadId: string;
  readonly cwd: string | null;
}

export interface BridgeAnswer {
  readonly route: "native_api" | "direct_native";
  readonly text: string;
  /** What kept the task from the service: the status and code of its answer, or how it was not reached. Null if it served. */
  readonly fellBackOn: string | null;
  readonly responseId: string | null;
  readonly session: BridgeSession | null;
  /** The service's whole answer; null from the bridge's own runtime. */
  readonly body: JsonObject | null;
}

export interface ChatBridgeOptions {
  readonly baseUrl: string;
  readonly authToken?: string | null;
  /** How long it waits for an answer, in milliseconds. Default 1500, as CodexBridge. */
  readonly timeoutMs?: number;
}

/** What the bridge's own runtime answers. */
export const directText = "from the bridge's own runtime";

/** Long enough for a busy machine. */
export const patientMs = 60_000;

export class ChatBridge {
  readonly #options: Required<ChatBridgeOptions>;
  /** Prompts that the bridge's own runtime had to run. */
  readonly directPrompts: string[] = [];

  constructor(options: ChatBridgeOptions) {
    this.#options = { authToken: null, timeoutMs: 1_500, ...options };
  }

  /** Runs a task on the service, or else directly. Rejects where CodexBridge's router throws. */
  async execute(task: BridgeTask): Promise<BridgeAnswer> {
    const asked = await this.#post(describeTask(task));
    if (asked.kind === "unreached" || isLeftToDirect(asked)) {
      this.directPrompts.push(task.prompt);
      return {
        route: "direct_native",
        text: directText,
        fellBackOn: asked.kind === "unreached" ? asked.how : `${asked.status} ${codeOf(asked.body)}`,
        responseId: null,
        session: null,
        body: null,
      };
    }
    return readAnswer(asked);
  }

  /**
   * What a program does that keeps a chain on the service: it goes on with `previous_response_id` and, where the service says that the
   * chain is no more, or belongs to another account, starts another chain.
   */
  async goOn(task: BridgeTask, previousResponseId: string): Promise<BridgeAnswer & ChainState> {
    const body = { ...describeTask(task), previous_response_id: previousResponseId };
    const asked = await this.#post(body);
    if (asked.kind === "answered" && [404, 409, 410].includes(asked.status))
      return { ...(await this.execute(task)), startedAnewOn: `${asked.status} ${codeOf(asked.body)}` };
    if (asked.kind === "unreached") throw new Error(asked.how);
    return { ...readAnswer(asked), startedAnewOn: null };
  }

  /** Status and body of one of the routes with which CodexBridge's manual looks at the service. */
  async read(
    path: "/v1/health" | "/v1/models",
  ): Promise<{ readonly status: number; readonly body: JsonObject }> {
    const answer = await fetch(this.#options.baseUrl + path, { headers: this.#headers });
    return { status: answer.status, body: parseAnswer(await answer.text()) };
  }

  get #headers(): Record<string, string> {
    const { authToken } = this.#options;
    return {
      "content-type": "application/json",
      ...(authToken !== null && { authorization: `Bearer ${authToken}` }),
    };
  }

  async #post(body: object): Promise<Asked> {
    const { baseUrl, timeoutMs } = this.#options;
    const hangUp = new AbortController();
    const timer = setTimeout(() => hangUp.abort(), timeoutMs);
    try {
      const answer = await fetch(`${baseUrl}/v1/responses`, {
        method: "POST",
        headers: this.#headers,
        body: JSON.stringify(body),
        signal: hangUp.signal,
      });
      return { kind: "answered", status: answer.status, body: parseAnswer(await answer.text()) };
    } catch (error) {
      if (hangUp.signal.aborted) return { kind: "unreached", how: "timeout" };
      // A connection that breaks within an answer is an error of another text, which CodexBridge throws.
      if (error instanceof Error && error.message.includes("fetch failed"))
        return { kind: "unreached", how: "unreachable" };
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

export interface ChainState {
  /** Why the chain could not go on; null if it did. */
  readonly startedAnewOn: string | null;
}

type Asked =
  | { readonly kind: "answered"; readonly status: number; readonly body: JsonObject }
  | { readonly kind: "unreached"; readonly how: string };

type Answered = Extract<Asked, { readonly kind: "answered" }>;

/** The request: nulls for what it does not know, no instructions, no schema, and nothing of `store` or `stream`. */
function describeTask({ taskClass, prompt, context, threadMetadata, cwd = null, effort }: BridgeTask) {
  return {
    model: null,
    input: prompt,
    ...(effort !== undefined && { reasoning: { effort } }),
    service_tier: null,
    metadata: {
      cwd,
      locale: null,
      codexbridge: { taskClass, eventMetadata: { developerPromptContext: context }, threadMetadata },
    },
  };
}

function isLeftToDirect({ status }: Answered): boolean {
  return [401, 403, 404, 408, 429].includes(status) || status >= 500;
}

function readAnswer({ status, body }: Answered): BridgeAnswer {
  if (status !== 200) {
    const { error } = body;
    const message = isJsonObject(error) ? error.message : undefined;
    throw new Error(typeof message === "string" ? message : `failed with status ${status}`);
  }
  const text = firstTextOf(body);
  if (text === null) throw new Error("The answer has no text.");
  return {
    route: "native_api",
    text,
    fellBackOn: null,
    responseId: textOf(body.id),
    session: sessionOf(body),
    body,
  };
}

/** The first text of any item in `output` is the answer, whatever item that is. */
function firstTextOf({ output }: JsonObject): string | null {
  for (const item of Array.isArray(output) ? output : []) {
    const content = isJsonObject(item) && Array.isArray(item.content) ? item.content : [];
    for (const part of content) {
      const text = isJsonObject(part) ? textOf(part.text) : null;
      if (text !== null) return text;
    }
  }
  return null;
}

function sessionOf({ native_runtime: runtime, metadata }: JsonObject): BridgeSession | null {
  if (!isJsonObject(runtime)) return null;
  const id = textOf(runtime.bridge_session_id);
  const providerProfileId = textOf(runtime.provider_profile_id);
  const threadId = textOf(runtime.thread_id);
  if (id === null || providerProfileId === null || threadId === null) return null;
  return { id, providerProfileId, threadId, cwd: isJsonObject(metadata) ? textOf(metadata.cwd) : null };
}

function codeOf({ error }: JsonObject): string {
  return (isJsonObject(error) ? textOf(error.code) : null) ?? "without a code";
}

function textOf(value: unknown): string | null {
  const text = typeof value === "string" ? value.trim() : "";
  return text === "" ? null : text;
}

function parseAnswer(text: string): JsonObject {
  const parsed: unknown = JSON.parse(text);
  return isJsonObject(parsed) ? parsed : {};
}
