/** The question and its flags as a request of the Responses API. */
import { resolve } from "node:path";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import { describeUnread, type Machine } from "../../config/machine.js";
import type { CliContext } from "../cli-context.js";
import { type CommandInput, textOf } from "../command.js";
import { CommandRefusal, refusalOfFlag } from "../outcome.js";

/** Everything of the request but the question. Throws a `CommandRefusal`. */
export function readSettings(input: CommandInput, machine: Machine): JsonObject {
  const model = textOf(input, "model");
  const instructions = textOf(input, "instructions");
  const effort = textOf(input, "effort");
  const schema = textOf(input, "json-schema");
  return {
    ...(model !== null && { model }),
    ...(instructions !== null && { instructions }),
    ...(effort !== null && { reasoning: { effort } }),
    ...(schema !== null && {
      text: { format: { type: "json_schema", name: "answer", schema: readSchema(schema, machine) } },
    }),
    store: false,
    stream: true,
  };
}

function readSchema(given: string, machine: Machine): JsonObject {
  if (given.trimStart().startsWith("{")) return parseSchema(given, "the text given");
  const path = resolve(machine.workingDir, given);
  const file = machine.readFile(path);
  if (file.kind === "text") return parseSchema(file.text, path);
  throw refusalOfFlag("json-schema", `${describeUnread(path, file)}; a schema itself would begin with {`);
}

function parseSchema(text: string, where: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it cannot be parsed";
    throw refusalOfFlag("json-schema", `${where} is not JSON: ${reason}`);
  }
  if (isJsonObject(value)) return value;
  throw refusalOfFlag("json-schema", `${where} is not a JSON object`);
}

interface Wanted {
  readonly maxBytes: number;
  /** Names the text. */
  readonly noun: string;
  /** A command line that has one. */
  readonly example: string;
}

/** The argument, or standard input. Throws a `CommandRefusal`. */
export async function readText(
  { stdin }: CliContext,
  argument: string | undefined,
  { maxBytes, noun, example }: Wanted,
): Promise<string> {
  if (argument === undefined && stdin.isTTY === true)
    throw new CommandRefusal(`there is no ${noun}; give it as an argument, or pipe it in: ${example}`);
  const text =
    argument === undefined || argument === "-" ? decode(await readBytes(stdin, maxBytes)) : argument;
  if (text.trim() === "") throw new CommandRefusal(`the ${noun} is empty`);
  return text;
}

async function readBytes(stdin: CliContext["stdin"], maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.byteLength;
    if (bytes > maxBytes)
      throw new CommandRefusal(
        `standard input holds more than ${maxBytes} bytes; raise the limit with --max-body-bytes`,
      );
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new CommandRefusal("standard input is not UTF-8 text");
  }
}
