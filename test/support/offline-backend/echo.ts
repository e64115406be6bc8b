import { lastUserText, type RecordedModelRequest } from "./recorded-request.js";
import type { StreamReply } from "./reply.js";
import { text } from "./reply-builders.js";

const MAX_ECHO_CHARACTERS = 200;

/** The default reply: says back, shortened, what the last user message said. */
export function echo(prefix = "You said: "): (request: RecordedModelRequest) => StreamReply {
  return (request) => {
    const said = lastUserText(request);
    const shown = said.length > MAX_ECHO_CHARACTERS ? `${said.slice(0, MAX_ECHO_CHARACTERS)}…` : said;
    return text(`${prefix}${shown}`);
  };
}
