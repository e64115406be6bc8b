/** What Codex says of turns, with losses, repeats and delays: one end, nothing after it, and a stream that clients can read. */
import fc from "fast-check";
import t from "tap";
import type { ResponseEvent } from "../../src/main/dialects/responses/wire-events.js";
import { CodexNativeApiError } from "../../src/main/errors.js";
import { readThreadNotification } from "../../src/workers/app-server/notification-router.js";
import type { JsonObject } from "../../src/workers/contract/json.js";
import type { TurnEvent } from "../../src/workers/contract/turn-messages.js";
import { TurnReducer } from "../../src/workers/turn/turn-reducer.js";
import { type Play, play, sumTextDeltas } from "../support/response-driver.js";
import { planFuzz } from "./support/fuzz-plan.js";
import { anyHistory, NativeTurnPlayer } from "./support/native-turn-player.js";
import { type Answer, anyDisturbedAnswer } from "./support/turn-notifications.js";

t.setTimeout(900_000);

const scope = { threadId: "thread", turnId: "turn" };

/** The events of a turn that Codex tells of so, and that it says is complete, with these of its messages. */
function reduce({ told }: Answer, items: readonly JsonObject[]): readonly TurnEvent[] {
  const events: TurnEvent[] = [];
  const reducer = new TurnReducer({
    emit: (event) => events.push(event),
    toOriginal: (item) => item,
    declares: ({ name }) => name === "lookup",
    onCall: (item) => item,
    onConnectionRefused: () => {},
    freshThread: true,
    hasTools: true,
  });
  const turn = { id: scope.turnId, status: "completed", error: null, items };
  for (const { method, params } of [...told, { method: "turn/completed", params: { turn } }]) {
    const notification = readThreadNotification(method, { ...scope, ...params });
    if (notification === null || notification === "malformed") throw new Error(`cannot be read: ${method}`);
    reducer.apply(notification);
  }
  if (reducer.outcome === null) throw new Error("the turn has no end");
  return events;
}

/** Throws unless a client can follow it. */
function checkStream({ events, response }: Play): void {
  const open = new Set<string>();
  const seen = new Set<string>();
  for (const [index, event] of events.entries()) {
    if (event.sequence_number !== index) throw new Error(`the numbers have a gap at ${index}`);
    const isLast = index === events.length - 1;
    if (/^response\.(completed|incomplete|failed)$/.test(event.type) !== isLast)
      throw new Error(`${event.type} at ${index} of ${events.length}`);
    checkItemEvent(event, open, seen);
  }
  if (open.size > 0) throw new Error(`never done: ${[...open].join()}`);
  const ids = response.output.map(({ id }) => id);
  if (ids.join() !== [...seen].join())
    throw new Error(`shown ${[...seen].join()}, but in the end ${ids.join()}`);
}

function checkItemEvent(event: ResponseEvent, open: Set<string>, seen: Set<string>): void {
  if (event.type === "response.output_item.added") {
    if (seen.has(event.item.id)) throw new Error(`${event.item.id} is added twice`);
    if (event.output_index !== seen.size) throw new Error(`${event.item.id} is at ${event.output_index}`);
    open.add(event.item.id);
    seen.add(event.item.id);
  } else if (event.type === "response.output_item.done") {
    if (!open.delete(event.item.id)) throw new Error(`${event.item.id} is done without being open`);
  } else if ("item_id" in event && !open.has(event.item_id)) {
    throw new Error(`${event.type} for ${event.item_id}, which is not open`);
  }
}

/** Null where words that were streamed were taken back. */
function playUnlessTakenBack(events: readonly TurnEvent[]): Play | null {
  try {
    return play(events);
  } catch (error) {
    if (error instanceof CodexNativeApiError && error.code === "upstream_connection_failed") return null;
    throw error;
  }
}

function textOf({ response }: Play, id: string): string | null {
  const item = response.output.find((candidate) => candidate.id === id);
  if (item?.type !== "message" || !Array.isArray(item.content)) return null;
  return item.content.map((part: JsonObject) => String(part.text)).join("");
}

const ends = ["item/completed", "rawResponseItem/completed"];

/** What was shown of the message by the time that Codex said how it ended. */
function deltasBeforeEnd({ told }: Answer, id: string): string {
  const own = told.filter(({ about }) => about === id);
  const end = own.findIndex(({ method }) => method === "rawResponseItem/completed");
  return own
    .slice(0, end === -1 ? undefined : end)
    .map(({ params }) => (typeof params.delta === "string" ? params.delta : ""))
    .join("");
}

/** Whatever was lost on the way, a message whose end was told is whole. */
function checkMessages(answer: Answer, played: Play, items: readonly { readonly id: string }[]): void {
  const whole = new Set(items.map(({ id }) => id));
  for (const { about, method } of answer.told) if (about !== null && ends.includes(method)) whole.add(about);
  const sums = sumTextDeltas(played.events);
  for (const id of whole) {
    const text = answer.messages.get(id) ?? "";
    if (textOf(played, id) !== text) throw new Error(`${id} is ${JSON.stringify(textOf(played, id))}`);
    // What was shown cannot be taken back, but where it was right so far the rest of it follows.
    const sum = sums.get(id) ?? "";
    if (text.startsWith(deltasBeforeEnd(answer, id)) && sum !== text)
      throw new Error(`${id} was shown as ${JSON.stringify(sum)}`);
  }
}

t.test("a turn told with losses, repeats and delays is a stream that clients can follow", async (t) => {
  const { seed, runs } = planFuzz(t, 5_000);
  const property = fc.property(anyDisturbedAnswer, fc.boolean(), (answer, withItems) => {
    const items = withItems
      ? [...answer.messages].map(([id, text]) => ({ type: "agentMessage", id, text }))
      : [];
    const events = reduce(answer, items);
    const whole = play(events, undefined, { stream: false });
    checkStream(whole);
    checkMessages(answer, whole, items);
    const streamed = playUnlessTakenBack(events);
    if (streamed === null) return;
    checkStream(streamed);
    checkMessages(answer, streamed, items);
  });
  fc.assert(property, { seed, numRuns: runs });
  t.pass("all could be followed");
});

t.test("whatever happens to a turn, it ends once and tells nothing after it", async (t) => {
  const { seed, runs } = planFuzz(t, 3_000);
  const player = await NativeTurnPlayer.start(t);
  const outcomes = new Map<string, number>();
  const property = fc.asyncProperty(anyHistory, async (history) => {
    const { events, left } = await player.play(history);
    const ends = events.filter((event) => event.type === "turn.ended");
    const [end] = ends;
    // Who hung up hears of it no more.
    if (left && end === undefined) return;
    if (end === undefined || ends.length > 1) throw new Error(`${ends.length} ends`);
    if (events.at(-1) !== end) throw new Error(`after the end: ${JSON.stringify(events.at(-1))}`);
    const { outcome } = end;
    const name = outcome.status === "failed" ? outcome.error.code : outcome.status;
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
  });
  await fc.assert(property, { seed, numRuns: runs });
  t.comment(`outcomes: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  for (const name of ["completed", "cancelled", "native_runtime_unavailable"])
    t.ok((outcomes.get(name) ?? 0) > runs / 100, `some were ${name}`);
});
