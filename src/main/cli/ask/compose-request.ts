/** The question and its flags as a request of the Responses API. */
import { resolve } from "node:path";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import type { ConfigFault } from "../../config/faults.js";
import type { Machine } from "../../config/machine.js";
import type { CliContext } from "../cli-context.js";
import { type CommandInput, textOf } from "../command.js";

type RequestSettings =
  | { readonly ok: true; readonly settings: JsonObject }
  | { readonly ok: false; readonly fault: ConfigFault };

/** Everything of the request but the question. */
export function readSettings(input: CommandInput, machine: Machine): RequestSettings {
  const [model, instructions, effort] = ["model", "instructions", "effort"].map((name) =>
    textOf(input, name),
  );
  const schemaText = textOf(input, "json-schema");
  const schema = schemaText === null ? null : readSchema(schemaText, machine);
  if (typeof schema === "string")
    return { ok: false, fault: { source: "--json-schema", given: null, problem: schema } };
  const settings = {
    ...(model !== null && { model }),
    ...(instructions !== null && { instructions }),
    ...(effort !== null && { reasoning: { effort } }),
    ...(schema !== null && { text: { format: { type: "json_schema", name: "answer", schema } } }),
    store: false,
    stream: true,
  };
  return { ok: true, settings };
}

/** The schema, or what is wrong with it. */
function readSchema(given: string, machine: Machine): JsonObject | string {
  if (given.trimStart().startsWith("{")) return parseSchema(given, "the text given");
  const path = resolve(machine.workingDir, given);
  const file = machine.readFile(path);
  if (file.kind === "missing") return `there is no file ${path}, and a schema itself would begin with {`;
  if (file.kind === "unreadable") return `${path} cannot be read (${file.reason})`;
  return parseSchema(file.text, path);
}

function parseSchema(text: string, where: string): JsonObject | string {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : `${where} is no JSON object`;
  } catch (error) {
    return `${where} is not JSON: ${error instanceof Error ? error.message : "it cannot be parsed"}`;
  }
}

type QuestionRead =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: string };

export async function readQuestion(
  { stdin }: CliContext,
  argument: string | undefined,
  maxBytes: number,
): Promise<QuestionRead> {
  if (argument !== undefined && argument !== "-") return checkText(argument);
  if (argument === undefined && stdin.isTTY === true)
    return refuse('there is no question; give it as an argument, or pipe it in: ask "What is 1 + 1?"');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.byteLength;
    if (bytes > maxBytes)
      return refuse(
        `standard input holds more than ${maxBytes} bytes; raise --max-body-bytes if it is meant`,
      );
    chunks.push(buffer);
  }
  try {
    return checkText(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    return refuse("standard input is not UTF-8 text");
  }
}

function checkText(text: string): QuestionRead {
  return text.trim() === "" ? refuse("the question is empty") : { ok: true, text };
}

function refuse(problem: string): QuestionRead {
  return { ok: false, problem };
}
