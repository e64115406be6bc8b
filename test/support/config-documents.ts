/** Renders the files that are made from the options table. */
import { z } from "zod";
import { buildConfigFileSchema, splitKey } from "../../src/main/config/config-file.js";
import type { OptionSpec } from "../../src/main/config/option.js";
import { allOptions, optionGroups } from "../../src/main/config/options.js";
import { replaceGenerated } from "./generated-part.js";

export const configDocumentPaths = {
  environmentExample: "config/codex-native-api.env.example",
  fileExample: "config/config.example.json",
  fileSchema: "config/config.schema.json",
  reference: "docs/configuration.md",
} as const;

/** Every variable with its default, commented out. */
export function renderEnvironmentExample(): string {
  const head = [
    "# Environment of codex-native-api. Uncomment what you change: every value shown is the default, and a variable without",
    "# a value counts as not set. Flags win over these, these win over the config file.",
    "# Made from the options table by `npm run generate`; do not edit by hand.",
  ];
  const groups = optionGroups.map(({ title, options }) => {
    const variables = options.flatMap((spec) =>
      spec.env === null ? [] : ["", ...renderVariable(spec, spec.env)],
    );
    return ["", "", `# == ${title} ==`, ...variables];
  });
  return `${[...head, ...groups.flat()].join("\n")}\n`;
}

function renderVariable(spec: OptionSpec, name: string): readonly string[] {
  const unit = spec.type.unit === null ? "" : ` (${spec.type.unit})`;
  const value = spec.default === null ? "" : spec.type.toText(spec.default);
  const fallback = spec.default === null ? ` Default: ${spec.defaultText}.` : "";
  return [`# ${spec.description}`, `# Takes ${spec.type.allowed}${unit}.${fallback}`, `#${name}=${value}`];
}

/** A config file that says what the defaults say. */
export function renderFileExample(): string {
  const root: Record<string, unknown> = { $schema: "./config.schema.json" };
  for (const spec of allOptions) {
    if (spec.default === null || !spec.inFile) continue;
    const [group, leaf] = splitKey(spec.key);
    if (group === null) root[leaf] = spec.default;
    else root[group] = { ...(isRecord(root[group]) ? root[group] : {}), [leaf]: spec.default };
  }
  return `${printJson(root)}\n`;
}

export function renderFileSchema(): string {
  const schema = z.toJSONSchema(buildConfigFileSchema(allOptions), { io: "input" });
  return `${printJson({ title: "Configuration file of codex-native-api", ...schema })}\n`;
}

/** The reference page with its tables made anew; the rest of the page is written by hand. */
export function renderReference(page: string): string {
  return replaceGenerated(page, optionGroups.map(renderTable).join("\n"));
}

function renderTable({ title, options }: (typeof optionGroups)[number]): string {
  const head = [
    "| key | flag | variable | takes | default | meaning | reload |",
    "| --- | --- | --- | --- | --- | --- | --- |",
  ];
  return [`### ${title}`, "", ...head, ...options.map(renderRow), ""].join("\n");
}

function renderRow(spec: OptionSpec): string {
  const unit = spec.type.unit === null ? "" : `, in ${spec.type.unit}`;
  const cells = [
    spec.inFile ? `\`${spec.key}\`` : "",
    spec.flag === null ? "" : `\`--${spec.flag}\``,
    spec.env === null ? "" : `\`${spec.env}\``,
    `${spec.type.allowed}${unit}`,
    spec.default === null || spec.defaultText === "none" ? spec.defaultText : `\`${spec.defaultText}\``,
    spec.description,
    spec.reloadable ? "yes" : "",
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** As biome prints it, so that formatting never undoes generating: short arrays on one line. */
function printJson(value: unknown, indent = ""): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const line = `[${value.map((item) => printJson(item)).join(", ")}]`;
    if (!line.includes("\n") && indent.length + line.length < 100) return line;
    return `[\n${value.map((item) => inner + printJson(item, inner)).join(",\n")}\n${indent}]`;
  }
  if (!isRecord(value)) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return "{}";
  const lines = entries.map(([key, item]) => `${inner}${JSON.stringify(key)}: ${printJson(item, inner)}`);
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
