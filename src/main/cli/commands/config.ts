import { describeConfig, type SettingDescription } from "../../config/inspect-config.js";
import { options } from "../../config/options.js";
import { type Command, jsonFlag } from "../command.js";
import { print, withConfig } from "../configured.js";

export const configCommand: Command = {
  name: "config",
  summary: "print the configuration in force and where each value came from",
  details: [
    "Reads what `serve` would read, checks it, and starts nothing. Secrets only say that they are set.",
  ],
  flags: [jsonFlag("An array of {key, value, layer, source}, for programs.")],
  operands: null,
  options: [options.config],
  examples: ["config", "config --json"],
  exits: ["done", "configuration"],
  run: (context, input) =>
    withConfig(context, input, ({ config, origins }) => {
      const rows = describeConfig(config, origins);
      if (!input.flags.has("json")) return print(context, rows.map(renderLine).join(""));
      return print(context, `${JSON.stringify(rows.map(toJson), null, 2)}\n`);
    }),
};

function renderLine({ key, value, origin }: SettingDescription): string {
  return `${key} = ${value}  (${origin.layer === "default" ? "default" : origin.name})\n`;
}

function toJson({ key, value, origin }: SettingDescription) {
  const source = origin.layer === "default" ? null : origin.name;
  return { key, value: parseShown(value), layer: origin.layer, source };
}

/** A masked value is shown in words; every other one as JSON. */
function parseShown(shown: string): unknown {
  try {
    return JSON.parse(shown);
  } catch {
    return shown;
  }
}
