/** Calls of the service by its own page. The token is kept here, in memory only, and travels as a header only. */
import type { ZodMiniType } from "zod/mini";
import { errorBodySchema, pageTokenSchema } from "../wire.js";
import { startDeadline } from "./timers.js";

const answerWithinMs = 20_000;

interface ApiErrorMore {
  readonly cause?: unknown;
  readonly param?: string | null | undefined;
  readonly requestId?: string | null;
}

/** Why a call has no answer: the service's code and words, or `unreachable`, `unreadable_answer`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  /** Path of the field at fault. */
  readonly param: string | null;
  /** By which the service's log has it. */
  readonly requestId: string | null;

  constructor(status: number, code: string, message: string, more: ApiErrorMore = {}) {
    super(message, { cause: more.cause });
    this.status = status;
    this.code = code;
    this.param = more.param ?? null;
    this.requestId = more.requestId ?? null;
  }
}

export interface ApiRequest extends Omit<RequestInit, "headers"> {
  readonly headers?: Readonly<Record<string, string>>;
  /** Until the head of the answer is there. */
  readonly timeoutMs?: number;
  /** For health, whose 503 has a body like its 200. */
  readonly isReadAtAnyStatus?: boolean;
}

export class Api {
  #token: string | null = null;
  readonly #onRefused: () => void;

  /** @param onRefused the service wants a token that the page does not have */
  constructor(onRefused: () => void) {
    this.#onRefused = onRefused;
  }

  get hasToken(): boolean {
    return this.#token !== null;
  }

  useToken(token: string | null): void {
    this.#token = token;
  }

  /** As `fetch`, with the token and a deadline. An answer of 400 and more is thrown as an `ApiError`. */
  async fetch(path: string, request: ApiRequest = {}): Promise<Response> {
    const { headers, timeoutMs, isReadAtAnyStatus, signal, ...rest } = request;
    // A path only: with a whole URL the token could go elsewhere.
    if (!/^\/(?!\/)/.test(path)) throw new Error("not a path of this service");
    const authorization = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
    const deadline = startDeadline(timeoutMs ?? answerWithinMs);
    try {
      const answer = await fetch(path, {
        ...rest,
        headers: { ...headers, ...authorization },
        signal: signal == null ? deadline.signal : AbortSignal.any([signal, deadline.signal]),
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
      });
      if (answer.ok || (isReadAtAnyStatus === true && answer.status === 503)) return answer;
      throw await readError(answer);
    } catch (error) {
      if (error instanceof ApiError) {
        if (error.status === 401) this.#onRefused();
        throw error;
      }
      throw new ApiError(0, "unreachable", "The service does not answer.", { cause: error });
    } finally {
      deadline.clear();
    }
  }

  /** A JSON answer, checked. */
  async read<T>(path: string, schema: ZodMiniType<T>, request: ApiRequest = {}): Promise<T> {
    const within = AbortSignal.timeout(answerWithinMs);
    const signal = request.signal == null ? within : AbortSignal.any([request.signal, within]);
    const answer = await this.fetch(path, { ...request, signal });
    const body: unknown = await answer.json().catch(() => undefined);
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    if (signal.aborted) throw new ApiError(0, "unreachable", "The service does not answer.");
    throw new ApiError(answer.status, "unreadable_answer", "The service and this page differ in version.");
  }

  /** Exchanges a one-time code for the token it stands for. */
  async redeemCode(code: string): Promise<void> {
    const { token } = await this.read("/v1/page/tokens", pageTokenSchema, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code }),
    });
    this.#token = token;
  }
}

async function readError(answer: Response): Promise<ApiError> {
  const body: unknown = await answer.json().catch(() => undefined);
  const parsed = errorBodySchema.safeParse(body);
  const requestId = answer.headers.get("x-request-id");
  if (!parsed.success)
    return new ApiError(answer.status, `http_${answer.status}`, answer.statusText, { requestId });
  const { code, message, param } = parsed.data.error;
  return new ApiError(answer.status, code ?? `http_${answer.status}`, message, { param, requestId });
}
