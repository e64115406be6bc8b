import type { OptionSpec } from "../config/option-spec.js";
import { optionGroups } from "../config/options.js";

const lineWidth = 100;
const textColumn = 34;

const intro = `codex-native-api: the logged-in Codex on this machine as an OpenAI-compatible API on localhost

Usage
  codex-native-api serve [options]    run the service until Ctrl-C or SIGTERM
  codex-native-api config [options]   print the configuration in force and its sources
  codex-native-api --help
  codex-native-api --version

Flags win over environment variables, these over the config file, that over the defaults.
`;

const outro = `
Exit codes: 0 stopped as asked, 2 configuration or usage at fault, 1 anything else.
`;

/** The help text, made from the options table. */
export function renderHelp(): string {
  const groups = optionGroups.map(({ title, options }) =>
    [`\n${title}`, ...options.map(renderOption), ""].join("\n"),
  );
  return `${intro}${groups.join("")}${outro}`;
}

function renderOption(spec: OptionSpec): string {
  const name = spec.flag === null ? `${spec.env}` : `--${spec.flag} ${spec.type.placeholder}`;
  const variable = spec.flag === null || spec.env === null ? "" : `[${spec.env}]`;
  const sentence = `${spec.description} Default: ${spec.defaultText}. ${variable}`;
  const lines = wrapWords(sentence, lineWidth - textColumn);
  const head = `  ${name}`;
  // A name that leaves no gap stands on a line of its own.
  const first = head.length > textColumn - 2 ? [head] : [`${head.padEnd(textColumn)}${lines.shift() ?? ""}`];
  return [...first, ...lines.map((line) => " ".repeat(textColumn) + line)].join("\n");
}

function wrapWords(sentence: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of sentence.trim().split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > width && line !== "") {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
