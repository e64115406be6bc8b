import { isJsonObject, isJsonObjectList, type JsonObject, type JsonValue, parseJsonObject } from "./json.js";

/** The body of a model request, typed where tests look; every other key is reachable by name. */
export interface ModelRequestBody {
  readonly model: string;
  readonly input: readonly JsonObject[];
  readonly instructions?: string;
  readonly tools?: readonly JsonObject[];
  readonly tool_choice?: JsonValue;
  readonly parallel_tool_calls?: boolean;
  readonly text?: JsonObject;
  readonly reasoning?: JsonObject | null;
  readonly include?: readonly string[];
  readonly service_tier?: string;
  readonly prompt_cache_key?: string;
  readonly previous_response_id?: string;
  readonly store?: boolean;
  readonly stream?: boolean;
  readonly generate?: boolean;
  readonly client_metadata?: JsonObject;
  readonly [key: string]: JsonValue | undefined;
}

/** How the connection to the client ended. `server-closed`: the backend cut it, or was closed itself. */
export type StreamClosing = "completed" | "client-closed" | "server-closed";

/** What the request was answered with in the end. */
export type StreamOutcome = "completed" | "failed" | "incomplete" | "http-error" | "cut" | "client-closed";

/** One request that Codex made of the model, and how it ended. */
export interface RecordedModelRequest {
  /** Counts up from 0, never reused, also when old records are dropped. Warm-ups count apart. */
  readonly index: number;
  readonly transport: "sse" | "websocket";
  /** A WebSocket warm-up (`generate: false`): prepares the backend, asks for no answer. */
  readonly isWarmup: boolean;
  readonly receivedAtMs: number;
  /** Names in lower case; over a WebSocket those of the upgrade request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly accountId: string | undefined;
  readonly bodyText: string;
  readonly bodyBytes: number;
  readonly body: ModelRequestBody;
  /**
   * The input as the model sees it. Over a WebSocket Codex sends only what is new after
   * `previous_response_id`; this has the items before it, input and output, too.
   */
  readonly fullInput: readonly JsonObject[];
  /** The `id` of the response it was answered with. */
  readonly responseId: string;
  readonly closed: Promise<StreamClosing>;
  readonly closedAtMs: number | undefined;
  readonly outcome: StreamOutcome | undefined;
}

export interface RequestFacts {
  readonly index: number;
  readonly transport: "sse" | "websocket";
  readonly isWarmup: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyText: string;
  readonly bodyBytes: number;
  readonly body: ModelRequestBody;
  readonly fullInput: readonly JsonObject[];
  readonly responseId: string;
}

/** The record while its request is still open. */
export class OpenModelRequest implements RecordedModelRequest {
  readonly index: number;
  readonly transport: "sse" | "websocket";
  readonly isWarmup: boolean;
  readonly receivedAtMs = performance.timeOrigin + performance.now();
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyText: string;
  readonly bodyBytes: number;
  readonly body: ModelRequestBody;
  readonly fullInput: readonly JsonObject[];
  readonly responseId: string;
  readonly closed: Promise<StreamClosing>;
  #closedAtMs: number | undefined;
  #outcome: StreamOutcome | undefined;
  #resolveClosed: (closing: StreamClosing) => void = () => undefined;

  constructor(facts: RequestFacts) {
    this.index = facts.index;
    this.transport = facts.transport;
    this.isWarmup = facts.isWarmup;
    this.headers = facts.headers;
    this.bodyText = facts.bodyText;
    this.bodyBytes = facts.bodyBytes;
    this.body = facts.body;
    this.fullInput = facts.fullInput;
    this.responseId = facts.responseId;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get accountId(): string | undefined {
    return this.headers["chatgpt-account-id"];
  }

  get closedAtMs(): number | undefined {
    return this.#closedAtMs;
  }

  get outcome(): StreamOutcome | undefined {
    return this.#outcome;
  }

  close(closing: StreamClosing, outcome: StreamOutcome): void {
    if (this.#outcome !== undefined) {
      return;
    }
    this.#closedAtMs = performance.timeOrigin + performance.now();
    this.#outcome = outcome;
    this.#resolveClosed(closing);
  }
}

export function parseModelRequestBody(bodyText: string): ModelRequestBody | undefined {
  const body = parseJsonObject(bodyText);
  return body !== undefined && isModelRequestBody(body) ? body : undefined;
}

function isModelRequestBody(body: JsonObject): body is ModelRequestBody {
  return (
    typeof body.model === "string" &&
    isJsonObjectList(body.input) &&
    isAbsentOr(body.instructions, (value) => typeof value === "string") &&
    isAbsentOr(body.tools, isJsonObjectList) &&
    isAbsentOr(body.text, isJsonObject) &&
    isAbsentOr(body.reasoning, (value) => value === null || isJsonObject(value)) &&
    isAbsentOr(body.previous_response_id, (value) => typeof value === "string")
  );
}

function isAbsentOr(value: unknown, holds: (value: unknown) => boolean): boolean {
  return value === undefined || holds(value);
}

/** The text of the last user message, over all its parts; empty when there is none. */
export function lastUserText(request: RecordedModelRequest): string {
  const message = request.fullInput.findLast((item) => item.role === "user");
  const content = message?.content;
  if (typeof content === "string") {
    return content;
  }
  if (!isJsonObjectList(content)) {
    return "";
  }
  return content.map((part) => (typeof part.text === "string" ? part.text : "")).join("");
}

/** The tools a model is offered: beside the input or, for some models, in an item of it; those of namespaces each by itself. */
export function offeredTools({ body, fullInput }: RecordedModelRequest): readonly JsonObject[] {
  const inInput = fullInput.filter((item) => item.type === "additional_tools");
  return [body, ...inInput].flatMap(({ tools }) => toolsIn(tools));
}

function toolsIn(tools: JsonValue | undefined): readonly JsonObject[] {
  if (!isJsonObjectList(tools)) return [];
  return tools.flatMap((tool) => (tool.type === "namespace" ? toolsIn(tool.tools) : [tool]));
}
