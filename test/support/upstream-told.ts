/** What a caller hears of a turn that the upstream failed, and what must be true of all of it. */
import type { Test } from "tap";
import { errorKinds } from "../../src/main/errors.js";
import type { TurnErrorCode } from "../../src/workers/contract/errors.js";
import type { ServiceHarness } from "./service-harness.js";

/** Codex's own retries, off. */
export const withoutRetries = {
  requestMaxRetries: 0,
  streamMaxRetries: 0,
  streamIdleTimeoutMs: 1000,
} as const;

export interface ExpectedWords {
  readonly code: TurnErrorCode;
  /** Of the message that reaches the caller. */
  readonly words?: string | RegExp;
}

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly error: { readonly code: string; readonly message: string };
}

/** An answer of either dialect, whole or as a stream. */
export type AnswerForm = "response" | "response stream" | "chat completion" | "chat completion stream";

export async function ask(
  { url }: ServiceHarness,
  input: string,
  form: AnswerForm = "response",
): Promise<Told> {
  const isChat = form.startsWith("chat");
  const asked = isChat ? { messages: [{ role: "user", content: input }] } : { input };
  const answer = await fetch(`${url}/v1/${isChat ? "chat/completions" : "responses"}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...asked, stream: form.endsWith("stream") }),
  });
  const { error } = (await answer.json()) as { readonly error: Told["error"] };
  return { status: answer.status, headers: answer.headers, error };
}

export function checkTold(t: Test, name: string, told: Told, { code, words }: ExpectedWords): void {
  const { status, headers, error } = told;
  const kind = errorKinds[code];
  t.equal(error.code, code, `${name}: ${error.message}`);
  t.equal(status, kind.status, `${name}: status`);
  t.equal(headers.get("x-should-retry"), kind.retryable ? null : "false", `${name}: whether a retry helps`);
  if (kind.retryable) t.ok(Number(headers.get("retry-after")) >= 1, `${name}: Retry-After`);
  t.match(error.message, /\S/, `${name}: words`);
  t.notMatch(
    error.message,
    /127\.0\.0\.1|:\/\/(?!chatgpt\.com\/(?!backend-api))|\burl\b|[{}<>]/,
    `${name}: no address`,
  );
  if (typeof words === "string") t.equal(error.message, words, `${name}: words`);
  else if (words !== undefined) t.match(error.message, words, `${name}: words`);
}
