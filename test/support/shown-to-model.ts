import type { RecordedModelRequest } from "./offline-backend/index.js";

/** Ids differ from turn to turn, however the turn was made. */
const ownOfEachTurn =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<="(?:resp|msg)_)[0-9a-f]+/g;

/** What Codex notes on items for its backend: when and in which turn they came, and where from. */
const noted = new Set(["client_metadata", "internal_chat_message_metadata_passthrough"]);

/** What the model is sent, in a form that is equal for two turns which it cannot tell apart. */
export function shownToModel(request: RecordedModelRequest | undefined): unknown {
  const sent = { ...request?.body, input: request?.fullInput };
  const text = JSON.stringify(sent, (key, value: unknown) => (noted.has(key) ? undefined : value));
  return JSON.parse(text.replaceAll(ownOfEachTurn, "0"));
}
