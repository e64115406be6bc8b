/** What a caller is told that asked for a route which is not here: why, and where to go instead. */
import { CodexNativeApiError } from "../errors.js";

const noCodexModel = "Codex has no model for it: ask OpenAI's API or another service";
const useResponses = "use POST /v1/responses";

/** Parts of OpenAI's API that are not served, by the first step of their paths. */
const unserved: ReadonlyMap<string, string> = new Map([
  [
    "assistants",
    `Assistants are not served, and OpenAI has given them up: ${useResponses} with 'instructions' and 'tools'.`,
  ],
  ["audio", `Audio is not served. ${noCodexModel}.`],
  [
    "batches",
    'Batches are not served: send the requests themselves, with priority: "background" or background: true.',
  ],
  ["chatkit", `ChatKit is not served: ${useResponses}.`],
  ["completions", "Legacy completions are not served: use POST /v1/chat/completions or POST /v1/responses."],
  [
    "containers",
    "Containers are not served, since no code runs here: give the model functions of your own as 'tools'.",
  ],
  [
    "conversations",
    `Conversations are not stored here: ${useResponses} with 'previous_response_id', or send the items.`,
  ],
  ["edits", `Edits are not served, and OpenAI has given them up: ${useResponses}.`],
  ["embeddings", `Embeddings are not served. ${noCodexModel}.`],
  ["engines", "Engines are not served, and OpenAI has given them up: use GET /v1/models."],
  ["evals", "Evals are not served: use OpenAI's API for them."],
  [
    "files",
    "Files are not stored here: send a text file in the request, as an 'input_file' with 'file_data'.",
  ],
  ["fine_tuning", "Fine-tuning is not served: Codex runs the models of its catalog only (GET /v1/models)."],
  ["fine-tunes", "Fine-tuning is not served: Codex runs the models of its catalog only (GET /v1/models)."],
  ["images", `Images are read as input of POST /v1/responses, but not made. ${noCodexModel}.`],
  ["moderations", `Moderation is not served. ${noCodexModel}.`],
  ["organization", "The administration of an organisation is not served: use OpenAI's API or its website."],
  ["projects", "The administration of projects is not served: use OpenAI's API or its website."],
  ["realtime", `Realtime sessions are not served: ${useResponses} with stream: true.`],
  ["skills", "Skills are not stored here: send their text as 'instructions'."],
  [
    "threads",
    `Threads are not served, and OpenAI has given them up: ${useResponses} with 'previous_response_id'.`,
  ],
  [
    "uploads",
    "Files are not stored here: send a text file in the request, as an 'input_file' with 'file_data'.",
  ],
  [
    "vector_stores",
    "Vector stores are not served: search in your own program, as a function that the model may call.",
  ],
  ["videos", `Videos are not served. ${noCodexModel}.`],
]);

const slashInName =
  "In the name of a model a slash is written %2F, as in /v1/models/openai%2Fgpt-5.5: GET /v1/models lists the names.";

const storedChat =
  "Chat completions are not stored here: POST /v1/responses keeps its answers under their ids.";

/** First steps of the paths below `/v1` that are served. */
const served: ReadonlySet<string> = new Set(["chat", "health", "models", "responses"]);

/** Steps of a path that are looked at. Longer ones are no route of anybody's. */
const maxSteps = 16;

/** @param target of the request, as it came. */
export function noSuchRoute(target: string): CodexNativeApiError {
  return new CodexNativeApiError("route_not_found", explain(target));
}

function explain(target: string): string {
  const path = target.replace(/^http:\/\/[^/?#]*/i, "").split(/[?#]/, 1)[0] ?? "";
  const parts = path.split("/", maxSteps + 1).slice(1);
  const steps = parts.filter((part) => part !== "");
  const versions = countVersions(steps);
  const [name = "", ...rest] = steps.slice(versions);
  const reason = unserved.get(name);
  if (reason !== undefined) return reason;
  if (name === "chat" && rest[0] === "completions" && rest.length > 1) return storedChat;
  if (served.has(name) && (name !== "chat" || rest[0] === "completions")) {
    const right = name === "chat" ? "/v1/chat/completions" : `/v1/${name}`;
    if (versions === 0) return `The base URL has to end with /v1: this is ${right}.`;
    if (versions > 1) return `The base URL has /v1 twice: this is ${right}.`;
    if (parts.length !== steps.length) return `The path has a slash too many: this is ${right}.`;
    if (name === "models" && rest.length > 1) return slashInName;
  }
  return "There is no such route. GET / says what is served.";
}

function countVersions(steps: readonly string[]): number {
  const first = steps.findIndex((step) => step !== "v1");
  return first === -1 ? steps.length : first;
}
