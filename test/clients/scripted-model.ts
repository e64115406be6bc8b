/** The model behind every client: it does what the last words of the user name. */
import { workInFolder } from "../support/codex-client.js";
import { decide } from "../support/offline-backend/decisions.js";
import {
  functionCall,
  offeredTools,
  type RecordedModelRequest,
  type Reply,
  rawItem,
  reply,
  stall,
  text,
  textInDeltas,
} from "../support/offline-backend/index.js";
import type { JsonObject } from "../support/offline-backend/json.js";

/** In the words of each request; programs add words of their own around them. */
const scripts: Readonly<Record<string, (request: RecordedModelRequest) => Reply>> = {
  "Say hello.": () => textInDeltas("Hello from the model.", 5, 5),
  "Ask the weather.": (request) =>
    outputOf(request) === undefined
      ? functionCall({ name: "weather", arguments: { city: "Rome" }, callId: "call_weather" })
      : text(`It is ${outputOf(request)}.`),
  "Take a note.": (request) =>
    outputOf(request) === undefined ? callNote(request) : text(`Noted: ${outputOf(request)}.`),
  "Who is it?": tellPerson,
  "What was said?": (request) => text(`You said: ${userTexts(request).join(" ")}`),
  "Decide this.": decide,
  "Never end.": () => reply(textInDeltas("One two", 2), stall({ afterDeltas: 1 })),
  "Work with your tools.": workInFolder,
  "Work in the folder.": workWithAgentTools,
};

export function scriptedModel(request: RecordedModelRequest): Reply {
  for (const said of userTexts(request).reverse()) {
    const name = Object.keys(scripts).find((words) => said.includes(words));
    if (name !== undefined) return scripts[name]?.(request) ?? text("");
  }
  return text("I know no such request.");
}

function userTexts({ fullInput }: RecordedModelRequest): string[] {
  return fullInput.filter(({ role }) => role === "user").map(({ content }) => JSON.stringify(content));
}

function outputsOf({ fullInput }: RecordedModelRequest): readonly JsonObject[] {
  return fullInput.filter(({ type }) => String(type).endsWith("_call_output"));
}

/** The output of the last call, as JSON says it. */
function outputOf(request: RecordedModelRequest): string | undefined {
  const last = outputsOf(request).at(-1);
  return last === undefined ? undefined : JSON.stringify(last.output);
}

/** As an answer, or by the tool that some agents offer for that. */
function tellPerson(request: RecordedModelRequest): Reply {
  const person = { name: "Ada", age: 36 };
  const tool = offeredTools(request).find(({ name }) => name === "structured_output");
  if (tool === undefined) return text(JSON.stringify(person));
  return functionCall({ name: "structured_output", arguments: person, callId: "call_person" });
}

/** As a tool of text, or as a function of one text, whichever is offered. */
function callNote(request: RecordedModelRequest): Reply {
  const tool = offeredTools(request).find(({ name }) => name === "note");
  const input = "first line\nsecond line";
  if (tool?.type === "custom") {
    return rawItem({
      type: "custom_tool_call",
      id: "ctc_note",
      call_id: "call_note",
      name: "note",
      input,
      status: "completed",
    });
  }
  return functionCall({ name: "note", arguments: { input }, callId: "call_note" });
}

/** The arguments with which one of its tools runs a command or writes a file, by the parameters that it declares. */
const shells = /^(?:bash|shell|run_shell_command|execute_command|run_commands?|run_terminal_command)$/i;
const writers = /^(?:write|write_file|write_to_file|create_file|create_new_file|editor|apply_patch)$/i;

/** Runs a command and writes a file with whatever tools an agent has for that, and then says so. */
function workWithAgentTools(request: RecordedModelRequest): Reply {
  const offered = offeredTools(request);
  if (offered.length === 0) return text("A title");
  const outputs = outputsOf(request).length;
  const callId = `call_${outputs + 1}`;
  const pick = (names: RegExp) => offered.find(({ name }) => names.test(String(name)));
  const tool = [pick(shells), pick(writers)][outputs];
  if (outputs < 2) {
    if (tool === undefined) return text(`No such tool among ${offered.map(({ name }) => name).join(", ")}.`);
    const args = outputs === 0 ? shellArguments(tool) : writerArguments(tool, request);
    return functionCall({ name: String(tool.name), arguments: args, callId });
  }
  const completion = offered.find(({ name }) =>
    /^(?:attempt_completion|submit_and_exit)$/.test(String(name)),
  );
  if (completion !== undefined && outputs === 2) {
    return functionCall({
      name: String(completion.name),
      arguments: { result: "All done.", summary: "All done.", verified: true },
      callId,
    });
  }
  return text("All done.");
}

function parametersOf(tool: JsonObject): readonly string[] {
  const match = /"properties":\{(.*)/.exec(JSON.stringify(tool.parameters));
  return [...(match?.[1] ?? "").matchAll(/"([a-zA-Z_]+)":\{/g)].map(([, name]) => String(name));
}

function shellArguments(tool: JsonObject): JsonObject {
  const names = parametersOf(tool);
  const command = "pwd > where.txt";
  const args: Record<string, JsonObject[string]> = names.includes("commands")
    ? { commands: [command] }
    : { command };
  if (names.includes("description")) args.description = "Says where it is";
  if (names.includes("is_background")) args.is_background = false;
  if (names.includes("requires_approval")) args.requires_approval = false;
  return args;
}

function writerArguments(tool: JsonObject, request: RecordedModelRequest): JsonObject {
  const names = parametersOf(tool);
  const folder = /FOLDER=([^\s"\\]+)/.exec(userTexts(request).join(" "))?.[1] ?? ".";
  const path = names.find((name) => /^(?:file_?path|absolutePath|path)$/i.test(name)) ?? "path";
  const content = names.find((name) => /^(?:content|contents|new_text|file_text)$/.test(name)) ?? "content";
  if (/patch$/.test(String(tool.name))) {
    const patch = `*** Begin Patch\n*** Add File: ${folder}/made.txt\n+made\n*** End Patch`;
    return { [names[0] ?? "patchText"]: patch };
  }
  const args: Record<string, JsonObject[string]> = { [path]: `${folder}/made.txt`, [content]: "made\n" };
  if (names.includes("command")) args.command = "create";
  return args;
}
