/** Callers that try once and look closely: each request comes to one word of outcome. */
import OpenAI from "openai";
import type { BadCaller, BadCallerContext } from "./bad-callers.js";
import { hangMs, outcomeOf, TurnFailed } from "./failures.js";
import { pause } from "./service-process.js";

export interface OneShot {
  /** Default "hello". */
  readonly input?: string;
  /** Default false. */
  readonly isStream?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: as long as nothing counts as hung. */
  readonly timeoutMs?: number;
}

const clients = new Map<string, OpenAI>();

function clientOf(url: string): OpenAI {
  const client = clients.get(url) ?? new OpenAI({ apiKey: "unused", baseURL: `${url}/v1`, maxRetries: 0 });
  clients.set(url, client);
  return client;
}

/** Asks once, counts how it came out, and gives that. */
export async function askOnce({ url, count }: BadCallerContext, shot: OneShot = {}): Promise<string> {
  const { input = "hello", isStream = false, headers = {}, timeoutMs = hangMs } = shot;
  const signal = AbortSignal.timeout(timeoutMs);
  const client = clientOf(url);
  let hasSeen = false;
  let outcome: string;
  try {
    if (isStream) {
      const events = await client.responses.create(
        { input, stream: true, store: false },
        { headers, signal },
      );
      let last = "nothing";
      for await (const event of events) {
        last = event.type;
        if (last.endsWith(".delta")) hasSeen = true;
        if (event.type === "response.failed") throw new TurnFailed(event.response.error?.code);
      }
      outcome = last === "response.completed" ? "answered" : `a stream that ends with ${last}`;
    } else {
      const { status } = await client.responses.create({ input, store: false }, { headers, signal });
      outcome = status === "completed" ? "answered" : `answered as ${status}`;
    }
  } catch (error) {
    outcome = outcomeOf(error, hasSeen);
  }
  // A stream that is aborted ends for the client as if it were over.
  if (signal.aborted) outcome = "hung";
  count(outcome);
  return outcome;
}

/** So many callers, half of them for streams, each with its next request `everyMs` after the last. */
export async function askInTurn(
  context: BadCallerContext,
  signal: AbortSignal,
  {
    callers = 4,
    everyMs = 400,
    ...shot
  }: OneShot & { readonly callers?: number; readonly everyMs?: number } = {},
): Promise<void> {
  const caller = async (_: unknown, index: number) => {
    while (!signal.aborted) {
      await askOnce(context, { isStream: index % 2 === 0, ...shot });
      await pause(everyMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

/** So many at the same moment, half of them for streams. */
export async function askAtOnce(context: BadCallerContext, callers: number): Promise<void> {
  await Promise.all(
    Array.from({ length: callers }, (_, index) => askOnce(context, { isStream: index % 2 === 0 })),
  );
}

/** A burst, and another as soon as all of the last are answered. */
export const bursts =
  (callers: number): BadCaller =>
  async (context, signal) => {
    while (!signal.aborted) {
      await askAtOnce(context, callers);
      await pause(2_000);
    }
  };

/** A fault is over only when a turn is served that nobody tries twice; says how long that took. */
export async function untilServed(context: BadCallerContext, signal: AbortSignal): Promise<void> {
  const quiet = { ...context, count: () => {} };
  while (!signal.aborted) {
    if ((await askOnce(quiet, { timeoutMs: 60_000 })) === "answered") {
      context.count("served again");
      return;
    }
    await pause(250);
  }
  if ((await askOnce(quiet, { timeoutMs: 60_000 })) === "answered") context.count("served again");
  else context.count("not served when the phase ended");
}
