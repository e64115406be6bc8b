/** Input for a response that is still being made: it is queued, and begins another response when that one has ended. */
import { itemTypesOf, kindOfCall, nameOfCall } from "../../../workers/contract/client-tools.js";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import type { ElementBatch, JsonBody } from "../../dialects/requests/parse-body.js";
import { textMessage } from "../../dialects/requests/turn-request.js";
import { ParsedBody } from "../body/received-body.js";
import type { CreateMessage, SteerMessage } from "./client-event.js";

/** Of one response. */
const maxPending = 16;
/** Of all of a connection, as they came. */
const maxPendingBytes = 4 * 1024 * 1024;
/** Responses that have ended and are known as such. */
const maxEnded = 256;

/** OpenAI's codes, as far as they occur here. */
export type SteerFault =
  | "response_not_found"
  | "invalid_input"
  | "too_many_pending_steers"
  | "response_already_completed"
  | "successor_creation_failed";

interface PendingSteer {
  readonly id: string;
  readonly input: unknown;
  readonly items: readonly JsonObject[];
  readonly bytes: number;
}

/** A response that can be steered: one that is being made, or one that waits for outputs of its calls and has been steered. */
interface Target {
  readonly streamId: string | null;
  /** What it was asked with; nothing where its caller asks for the next one. */
  settings: JsonObject;
  readonly pending: PendingSteer[];
}

interface CarriedSteers {
  /** The response that was steered. */
  readonly id: string;
  readonly steers: readonly PendingSteer[];
}

/** Events, and the lane whose events they are. */
export interface SteerEvents {
  readonly streamId: string | null;
  readonly events: readonly object[];
}

/** What follows a response. */
export interface AfterResponse {
  readonly events: readonly object[];
  /** The request that follows of itself; null: none does. */
  readonly successor: CreateMessage | null;
  /** Input for an earlier response, which is given back; null: none is. */
  readonly forgotten: SteerEvents | null;
}

/** How a response ended. */
export interface SteeredEnd {
  readonly id: string;
  /** It was answered, and can be continued. */
  readonly isDone: boolean;
  readonly output: readonly unknown[];
}

/** The steering of one connection's responses. */
export class Steering {
  readonly #newId: (prefix: string) => string;
  readonly #targets = new Map<string, Target>();
  readonly #ended = new Set<string>();
  /** What requests bring that their callers did not send with them. */
  readonly #carried = new WeakMap<CreateMessage, CarriedSteers>();
  #events = 0;

  constructor(newId: (prefix: string) => string) {
    this.#newId = newId;
  }

  /** A response is being made. */
  begin(id: string, streamId: string | null, { body: { value } }: CreateMessage): void {
    if (isJsonObject(value)) this.#targets.set(id, { streamId, settings: value, pending: [] });
  }

  /** Queues input for a response. */
  steer({ previousResponseId, input, bytes }: SteerMessage): SteerEvents {
    const target = this.#targets.get(previousResponseId);
    const steer = { previous_response_id: previousResponseId, input };
    const items = readItems(input);
    if (items === null) {
      const message = "'input' must be a text or a list of messages of the user, and not empty.";
      return this.#refuse(target, "invalid_input", message, steer);
    }
    if (target === undefined) {
      return this.#ended.has(previousResponseId)
        ? this.#refuse(target, "response_already_completed", "The response has ended.", steer)
        : this.#refuse(target, "response_not_found", "No response of this connection has this id.", steer);
    }
    if (target.pending.length >= maxPending || this.#pendingBytes + bytes > maxPendingBytes) {
      const message = "Too much input waits already.";
      return this.#refuse(target, "too_many_pending_steers", message, steer);
    }
    const id = this.#newId("steer");
    target.pending.push({ id, input, items, bytes });
    const accepted = { id, previous_response_id: previousResponseId };
    return {
      streamId: target.streamId,
      events: [this.#number("response.steer.accepted", { steer: accepted })],
    };
  }

  /** A response has ended: begins the next one, tells what it waits for, or gives the input back. */
  end({ id, isDone, output }: SteeredEnd): AfterResponse {
    const target = this.#targets.get(id);
    const forgotten = this.#remember(id);
    if (target === undefined || target.pending.length === 0) {
      this.#targets.delete(id);
      return { events: [], successor: null, forgotten };
    }
    const calls = output.flatMap(readCall);
    if (isDone && calls.length > 0) {
      target.settings = {};
      const reason = { reason: "waiting_for_required_input", required_input: calls };
      const events = target.pending.map((steer) =>
        this.#number("response.steer.pending", {
          steer: { id: steer.id, previous_response_id: id },
          ...reason,
        }),
      );
      return { events, successor: null, forgotten };
    }
    this.#targets.delete(id);
    if (isDone)
      return { events: [], successor: this.#carry(id, target, continueWith(id, target)), forgotten };
    const events = this.#giveBack({ id, steers: target.pending }, "The response did not end well.");
    return { events, successor: null, forgotten };
  }

  /** A request as it is to be run: with the input in front that waited for it. */
  join(message: CreateMessage): CreateMessage {
    const { previousResponseId: id, body } = message;
    const target = id === null ? undefined : this.#targets.get(id);
    // One that is still being made is continued by itself, and its own error says so.
    if (id === null || target === undefined || !this.#ended.has(id)) return message;
    this.#targets.delete(id);
    return this.#carry(id, target, { ...message, body: prepend(body, itemsOf(target)) });
  }

  /** A request was refused: gives back what it brought. */
  refuse(message: CreateMessage): readonly object[] {
    const carried = this.#carried.get(message);
    return carried === undefined ? [] : this.#giveBack(carried, "The request that brought it was refused.");
  }

  #carry(id: string, { pending }: Target, message: CreateMessage): CreateMessage {
    this.#carried.set(message, { id, steers: pending });
    return message;
  }

  #giveBack({ id, steers }: CarriedSteers, message: string): readonly object[] {
    return steers.map((steer) => {
      const given = { id: steer.id, previous_response_id: id, input: steer.input };
      return this.#fail("successor_creation_failed", message, given);
    });
  }

  get #pendingBytes(): number {
    const pending = [...this.#targets.values()].flatMap((target) => target.pending);
    return pending.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Forgets the one that ended first when they are too many, and gives back what waits for the outputs of its calls. */
  #remember(id: string): SteerEvents | null {
    this.#ended.add(id);
    const [oldest] = this.#ended;
    if (this.#ended.size <= maxEnded || oldest === undefined) return null;
    this.#ended.delete(oldest);
    const target = this.#targets.get(oldest);
    if (target === undefined) return null;
    this.#targets.delete(oldest);
    const { streamId, pending } = target;
    const message = `The outputs that it waited for did not come before ${maxEnded} later responses ended.`;
    return { streamId, events: this.#giveBack({ id: oldest, steers: pending }, message) };
  }

  #refuse(target: Target | undefined, code: SteerFault, message: string, steer: object): SteerEvents {
    return { streamId: target?.streamId ?? null, events: [this.#fail(code, message, steer)] };
  }

  #fail(code: SteerFault, message: string, steer: object): object {
    const error = { type: "invalid_request_error", code, message };
    return this.#number("response.steer.failed", { steer, error });
  }

  /** They are no part of a response's own events, so they count by themselves. */
  #number(type: string, fields: object): object {
    this.#events += 1;
    return { type, sequence_number: this.#events - 1, ...fields };
  }
}

function itemsOf({ pending }: Target): readonly JsonObject[] {
  return pending.flatMap(({ items }) => items);
}

/** With the settings of the response before. */
function continueWith(id: string, target: Target): CreateMessage {
  const value = { ...target.settings, input: [], previous_response_id: id };
  const items = itemsOf(target);
  const elements = async function* (): AsyncGenerator<ElementBatch> {
    yield { firstIndex: 0, values: items };
  };
  return {
    type: "response.create",
    body: new ParsedBody(value, elements),
    generate: true,
    previousResponseId: id,
  };
}

function prepend({ value, elements }: JsonBody, items: readonly JsonObject[]): JsonBody {
  if (!isJsonObject(value)) return { value, elements };
  const { input } = value;
  const own = typeof input === "string" ? [textMessage("user", input)] : [];
  const joined = async function* (name: string): AsyncGenerator<ElementBatch> {
    if (name !== "input") {
      yield* elements(name);
      return;
    }
    const first = [...items, ...own];
    yield { firstIndex: 0, values: first };
    for await (const { firstIndex, values } of elements(name)) {
      yield { firstIndex: firstIndex + first.length, values };
    }
  };
  return new ParsedBody({ ...value, input: [] }, joined);
}

/** Null for what is no input of the user. What its parts are worth is checked when it is used. */
function readItems(input: unknown): readonly JsonObject[] | null {
  if (typeof input === "string") return input === "" ? null : [textMessage("user", input)];
  if (!Array.isArray(input) || input.length === 0) return null;
  const items: JsonObject[] = [];
  for (const item of input) {
    if (!isJsonObject(item) || item.role !== "user") return null;
    if (item.type !== undefined && item.type !== "message") return null;
    items.push(item);
  }
  return items;
}

function readCall(item: unknown): readonly JsonObject[] {
  if (!isJsonObject(item)) return [];
  const kind = kindOfCall(item);
  if (kind === null) return [];
  return [{ type: itemTypesOf[kind].output, call_id: item.call_id, name: nameOfCall(item) }];
}
