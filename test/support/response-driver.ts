/** Drives the dialect as the HTTP layer does, without any socket. */

import { toResponsesTurn } from "../../src/main/dialects/responses/decode.js";
import { ResponseEventStream } from "../../src/main/dialects/responses/encode.js";
import { parseResponsesRequest } from "../../src/main/dialects/responses/request-schema.js";
import type { ResponseEvent } from "../../src/main/dialects/responses/wire-events.js";
import type { ResponseObject } from "../../src/main/dialects/responses/wire-response.js";
import type { CodexNativeApiError } from "../../src/main/errors.js";
import type { TurnEvent, TurnOutcome } from "../../src/main/runtime/types.js";
import { fakeStarted, fakeUsage } from "./fake-runtime.js";

/** Of a response that is streamed, unless the body says otherwise. */
export function newStream(body: object = {}): ResponseEventStream {
  let ids = 0;
  let nowMs = 1_700_000_000_000;
  const turn = toResponsesTurn(parseResponsesRequest({ input: "hi", stream: true, ...body }), "ignore");
  return new ResponseEventStream(turn, {
    routePath: "/v1/responses",
    wallClock: () => {
      nowMs += 1000;
      return nowMs;
    },
    newId: (prefix) => `${prefix}_${++ids}`,
  });
}

export interface Play {
  readonly events: readonly ResponseEvent[];
  readonly response: ResponseObject;
}

type End = Exclude<TurnOutcome, { readonly status: "failed" }> | CodexNativeApiError;

/** A whole turn: started, the events given, and its end. */
export function play(
  turnEvents: readonly TurnEvent[],
  end: End = { status: "completed" },
  body: object = {},
): Play {
  const stream = newStream(body);
  const events = [
    ...stream.start(fakeStarted),
    ...turnEvents.flatMap((event) => stream.push(event)),
    ...(end instanceof Error ? stream.fail(end) : stream.end({ outcome: end, usage: fakeUsage, unmet: [] })),
  ];
  return { events, response: stream.body };
}

/** Everything between `response.in_progress` and the terminal event. */
export function playItems(turnEvents: readonly TurnEvent[], body: object = {}): readonly ResponseEvent[] {
  return play(turnEvents, { status: "completed" }, body).events.slice(2, -1);
}

export function typesOf(events: readonly ResponseEvent[]): readonly string[] {
  return events.map(({ type }) => type.replace(/^response\./, ""));
}

/** The text a client would have put together from deltas, by item. */
export function sumTextDeltas(events: readonly ResponseEvent[]): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  for (const event of events) {
    if (event.type !== "response.output_text.delta") continue;
    sums.set(event.item_id, (sums.get(event.item_id) ?? "") + event.delta);
  }
  return sums;
}
