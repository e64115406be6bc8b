import { isJsonObject } from "../../../workers/contract/json.js";
import type { LoopShare } from "../../../workers/contract/pace.js";
import type { JsonBody } from "../../dialects/requests/parse-body.js";
import { fieldError } from "../../dialects/requests/schema-fault.js";
import { CodexNativeApiError } from "../../errors.js";
import type { BodyBounds } from "../body/incoming-body.js";
import { ParsedBody, ReceivedBody } from "../body/received-body.js";

/** Most bytes of a message that are scanned in one round of the event loop. */
const scannedAtOnceBytes = 256 * 1024;

/** Asks for a response. */
export interface CreateMessage {
  readonly type: "response.create";
  /** As the body of a `POST`. */
  readonly body: JsonBody;
  /** False: no model is asked. */
  readonly generate: boolean;
  readonly previousResponseId: string | null;
}

/** Brings input for a response that is being made. */
export interface SteerMessage {
  readonly type: "response.steer";
  readonly previousResponseId: string;
  /** As it came. */
  readonly input: unknown;
  /** Of the whole message. */
  readonly bytes: number;
}

/** What a client may send. */
export type ClientEvent =
  | CreateMessage
  | SteerMessage
  /** OpenAI's client for Codex tells what it has taken; there is nothing to do. */
  | { readonly type: "response.processed" };

/** One message, read as far as its lane and its type. */
export interface ClientMessage {
  /** Null: of the default lane. */
  readonly streamId: string | null;
  /** Throws what is wrong with it. */
  readonly read: () => Promise<ClientEvent>;
}

const streamIdForm = /^[\w.-]{1,256}$/;

export class InvalidStreamId extends Error {
  override readonly name = "InvalidStreamId";
}

/**
 * Reads a message within the bounds of HTTP's bodies, and in pieces like those.
 *
 * @throws CodexNativeApiError `invalid_json`, `invalid_request`, `body_too_large`; `InvalidStreamId`.
 */
export async function readClientMessage(
  data: Buffer,
  bounds: BodyBounds,
  share: LoopShare,
): Promise<ClientMessage> {
  const body = await parse(data, bounds, share);
  const { value } = body;
  if (!isJsonObject(value)) {
    throw new CodexNativeApiError("invalid_request", "A message must be a JSON object with a 'type'.");
  }
  const { type, stream_id: streamId = null, generate, ...rest } = value;
  if (streamId !== null && !(typeof streamId === "string" && streamIdForm.test(streamId))) {
    throw new InvalidStreamId();
  }
  return {
    streamId,
    read: async () =>
      type === "response.steer" ? readSteer(rest, body, data.length) : readEvent(type, generate, rest, body),
  };
}

function readEvent(
  type: unknown,
  generate: unknown,
  rest: Readonly<Record<string, unknown>>,
  body: JsonBody,
): ClientEvent {
  if (type === "response.processed") return { type };
  if (type !== "response.create") {
    throw fieldError("type", "messages of this connection are 'response.create' and 'response.steer'");
  }
  if (generate !== undefined && generate !== null && typeof generate !== "boolean") {
    throw fieldError("generate", "must be true or false");
  }
  if (rest.background === true) {
    throw fieldError("background", "a background response needs a request over HTTP");
  }
  const { previous_response_id: previous } = rest;
  return {
    type,
    // Here each response is a stream of events, whatever the client says of it.
    body: new ParsedBody({ ...rest, stream: true }, body.elements),
    generate: generate !== false,
    previousResponseId: typeof previous === "string" ? previous : null,
  };
}

async function readSteer(
  rest: Readonly<Record<string, unknown>>,
  { elements }: JsonBody,
  bytes: number,
): Promise<SteerMessage> {
  const { previous_response_id: previousResponseId, input, ...others } = rest;
  const [other] = Object.keys(others);
  if (other !== undefined) throw fieldError(other.slice(0, 64), "is no field of 'response.steer'");
  if (typeof previousResponseId !== "string") {
    throw fieldError("previous_response_id", "must name the response to steer");
  }
  if (!Array.isArray(input)) return { type: "response.steer", previousResponseId, input, bytes };
  const items: unknown[] = [];
  for await (const { values } of elements("input")) items.push(...values);
  return { type: "response.steer", previousResponseId, input: items, bytes };
}

async function parse(data: Buffer, bounds: BodyBounds, share: LoopShare): Promise<JsonBody> {
  if (data.length > bounds.maxBytes) {
    throw new CodexNativeApiError("body_too_large", "The message exceeds the size limit of requests.");
  }
  const received = new ReceivedBody(data.length, bounds);
  for (let from = 0; from < data.length; from += scannedAtOnceBytes) {
    if (from > 0) await share.nextRound();
    received.append(data.subarray(from, from + scannedAtOnceBytes));
  }
  return received.parse(share.start());
}
