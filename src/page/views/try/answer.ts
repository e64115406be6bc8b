/** What the model has said so far. */
import type { TokenUsage } from "../../wire.js";

export interface Call {
  readonly callId: string;
  readonly name: string;
  /** JSON as the model wrote it. */
  readonly arguments: string;
}

export interface Answer {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly Call[];
  readonly usage: TokenUsage | null;
  readonly responseId: string | null;
  readonly model: string | null;
  /** Why the model stopped early, in the service's words. */
  readonly incomplete: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Of decisions. */
  readonly decisions: readonly unknown[] | null;
  /** The last event has come. */
  readonly isWhole: boolean;
  /** There was more than the page keeps. */
  readonly isCut: boolean;
}

export const noAnswer: Answer = {
  text: "",
  reasoning: "",
  calls: [],
  usage: null,
  responseId: null,
  model: null,
  incomplete: null,
  error: null,
  decisions: null,
  isWhole: false,
  isCut: false,
};

const maxCharacters = 1_000_000;
const maxCalls = 128;

/** While a call is streamed it is known by another key than its id, which is kept beside it. */
type KeyedCall = Call & { readonly key: string };

function keyOf(call: Call): string {
  return "key" in call && typeof call.key === "string" ? call.key : call.callId;
}

export function hasCall(answer: Answer, key: string): boolean {
  return answer.calls.some((call) => keyOf(call) === key);
}

/** Takes the place of one with the same key. */
export function putCall(answer: Answer, key: string, call: Call): Answer {
  const keyed: KeyedCall = { ...call, key };
  if (hasCall(answer, key)) return changeCall(answer, key, () => keyed);
  if (answer.calls.length >= maxCalls) return { ...answer, isCut: true };
  return { ...answer, calls: [...answer.calls, keyed] };
}

export function changeCall(answer: Answer, key: string, change: (call: Call) => Call): Answer {
  return { ...answer, calls: answer.calls.map((call) => (keyOf(call) === key ? change(call) : call)) };
}

export function append(answer: Answer, part: "text" | "reasoning", more: string): Answer {
  if (more === "") return answer;
  const whole = answer[part] + more;
  if (whole.length <= maxCharacters) return { ...answer, [part]: whole };
  return { ...answer, [part]: whole.slice(0, maxCharacters), isCut: true };
}
