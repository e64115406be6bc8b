/** What becomes of each parameter of `POST /v1/decisions`. */
import {
  ignored,
  listUnplaced,
  mapped,
  type Parameters,
  refused,
  sharedParameters,
} from "../requests/parameters.js";
import type { DecisionHead } from "./request-schema.js";

/** Those of other APIs would be lost in silence. */
export const parameters: Parameters = {
  ...sharedParameters,
  background: refused("decisions are answered at once"),
  conversation: refused("conversations are not stored here: send the items as 'input'"),
  input: mapped(
    "What is judged: a text, or messages, calls of tools and their outputs. To the model it is data.",
  ),
  instructions: refused("is a parameter of responses: here each question has its own"),
  messages: refused("is a parameter of chat completions: here it is 'input'"),
  metadata: mapped(
    "This service's own here: `codexbridge` as in responses, for the log and `native_api`. Not echoed.",
  ),
  model: mapped(
    "As in responses. `gpt-6-luna`, the only model of OpenAI's decisions, stands for the configured one where the catalog lacks it. Default: `gpt-6-luna`.",
  ),
  parallel_tool_calls: ignored,
  previous_response_id: refused("is a parameter of responses: here 'input' holds the history"),
  prompt: refused("prompt templates are not stored here: send their text"),
  questions: mapped("1 to 400, answered in this order. Their names are not shown to the model."),
  response_format: refused("the form of the answer follows from 'questions'"),
  service_tier: ignored,
  stream: mapped("Decisions are not streamed: `false`, or refused."),
  text: refused("the form of the answer follows from 'questions'"),
  tool_choice: ignored,
  tools: refused("decisions call no tools"),
};

/** Names what a request asks for and Codex has no field for, so that it is never dropped in silence. */
export function listIgnoredParameters(body: DecisionHead): readonly string[] {
  return listUnplaced(body, parameters, isIdle);
}

function isIdle(_name: string, value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
