/** Completion for three shells, made from the table of commands: static text, so that completion starts no program. */
import { allOptions } from "../config/options.js";
import type { Command, CommandChoice } from "./command.js";
import { programName } from "./help.js";

const renderers = { bash: renderBash, zsh: renderZsh, fish: renderFish } as const;

type Shell = keyof typeof renderers;

export const shells = ["bash", "zsh", "fish"] as const satisfies readonly Shell[];

/** A flag for a shell. */
interface Completion {
  readonly flag: string;
  readonly takesValue: boolean;
  readonly takesPath: boolean;
  /** The values it takes, where they are few. */
  readonly values: readonly string[];
  readonly description: string;
}

export function renderCompletion(shell: Shell, commands: readonly Command[]): string {
  return renderers[shell](commands);
}

function completionsOf(command: Command): readonly Completion[] {
  const own = command.flags.map(({ name, placeholder, description }) => {
    const takesPath = placeholder?.includes("FILE") ?? false;
    return completionOf(name, description, { takesValue: placeholder !== null, takesPath });
  });
  const configured = (command.options === null ? [] : allOptions).flatMap(({ flag, type, description }) => {
    const values = type.placeholder.includes("|") ? type.placeholder.split("|") : [];
    const takes = { takesValue: true, takesPath: type.isPath, values };
    return flag === null ? [] : completionOf(flag, description, takes);
  });
  return [...own, ...configured, completionOf("help", "show what the command does, and its flags")];
}

function completionOf(name: string, description: string, takes: Partial<Completion> = {}): Completion {
  const text = firstSentence(description);
  return { flag: `--${name}`, description: text, takesValue: false, takesPath: false, values: [], ...takes };
}

function choicesOf(command: Command, commands: readonly Command[]): readonly CommandChoice[] {
  if (command.name === "help") return commands.map(({ name, summary }) => ({ name, description: summary }));
  return command.operands?.choices ?? [];
}

function renderBash(commands: readonly Command[]): string {
  const byFlag = new Map(commands.flatMap(completionsOf).map((completion) => [completion.flag, completion]));
  const all = [...byFlag.values()].filter(({ takesValue }) => takesValue);
  const paths = all.filter(({ takesPath }) => takesPath).map(({ flag }) => flag);
  const enumerated = all.filter(({ values }) => values.length > 0);
  const free = all.filter(({ takesPath, values }) => !takesPath && values.length === 0);
  return [
    `# ${programName} completion for bash: source it, or put it into a directory of completions.`,
    "_codex_native_api() {",
    '  local current="$2" previous="$3" words=""',
    '  case "$previous" in',
    `    ${paths.join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;`,
    ...enumerated.map(
      ({ flag, values }) =>
        `    ${flag}) COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$current")); return ;;`,
    ),
    `    ${free.map(({ flag }) => flag).join("|")}) COMPREPLY=(); return ;;`,
    "  esac",
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${[...commands.map(({ name }) => name), "--help", "--version"].join(" ")}"`,
    "  else",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's own
    '    case "${COMP_WORDS[1]}" in',
    ...commands.map((command) => `      ${command.name}) words="${wordsOf(command, commands)}" ;;`),
    "    esac",
    "  fi",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "}",
    `complete -F _codex_native_api ${programName}`,
    "",
  ].join("\n");
}

function wordsOf(command: Command, commands: readonly Command[]): string {
  const choices = choicesOf(command, commands).map(({ name }) => name);
  return [...choices, ...completionsOf(command).map(({ flag }) => flag)].join(" ");
}

function renderZsh(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => `    ${quoteZsh(`${name}:${summary}`)}`);
  const cases = commands.flatMap((command) => {
    const choices = choicesOf(command, commands).map(({ name }) => name);
    const operand = choices.length === 0 ? [] : [`'2:what:(${choices.join(" ")})'`];
    const specs = [...completionsOf(command).map(renderZshFlag), ...operand];
    return [`    ${command.name})`, "      _arguments \\", `        ${specs.join(" \\\n        ")} ;;`];
  });
  return [
    `#compdef ${programName}`,
    "_codex_native_api() {",
    "  local -a commands=(",
    ...rows,
    "  )",
    "  if (( CURRENT == 2 )); then",
    "    _describe command commands",
    "    return",
    "  fi",
    '  case "$words[2]" in',
    ...cases,
    "  esac",
    "}",
    // A sourced script must register itself; zsh calls one from its function path by name.
    `if [ "$funcstack[1]" = "_codex_native_api" ]; then _codex_native_api "$@"; else compdef _codex_native_api ${programName}; fi`,
    "",
  ].join("\n");
}

function renderZshFlag({ flag, takesValue, takesPath, values, description }: Completion): string {
  const text = description.replace(/[[\]:]/g, "\\$&");
  if (!takesValue) return quoteZsh(`${flag}[${text}]`);
  const action = takesPath ? "_files" : values.length > 0 ? `(${values.join(" ")})` : " ";
  return quoteZsh(`${flag}[${text}]:value:${action}`);
}

function quoteZsh(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function renderFish(commands: readonly Command[]): string {
  const start = `complete -c ${programName}`;
  const names = commands.map(
    ({ name, summary }) => `${start} -f -n __fish_use_subcommand -a ${name} -d ${quoteFish(summary)}`,
  );
  const parts = commands.flatMap((command) => {
    const seen = `${start} -n '__fish_seen_subcommand_from ${command.name}'`;
    const choices = choicesOf(command, commands).map(
      ({ name, description }) => `${seen} -f -a ${name} -d ${quoteFish(description)}`,
    );
    return [...choices, ...completionsOf(command).map((flag) => `${seen} ${renderFishFlag(flag)}`)];
  });
  return [...names, ...parts, ""].join("\n");
}

function renderFishFlag({ flag, takesValue, takesPath, values, description }: Completion): string {
  const value = takesPath ? " -r -F" : values.length > 0 ? ` -x -a '${values.join(" ")}'` : " -x";
  return `-l ${flag.slice(2)}${takesValue ? value : " -f"} -d ${quoteFish(description)}`;
}

function quoteFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function firstSentence(text: string): string {
  return (/^.*?\.(?= |$)/.exec(text)?.[0] ?? text).replace(/\.$/, "");
}
