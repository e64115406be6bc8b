/** One `config.toml`, from flat `key = value` lines and tables. Values are TOML already when numbers or booleans. */
export type TomlTable = Readonly<Record<string, string | number | boolean>>;

export function renderToml(top: TomlTable, tables: Readonly<Record<string, TomlTable>> = {}): string {
  const sections = Object.entries(tables).map(([name, table]) => `\n[${name}]\n${renderLines(table)}`);
  return renderLines(top) + sections.join("");
}

function renderLines(table: TomlTable): string {
  return Object.entries(table)
    .map(([key, value]) => `${key} = ${typeof value === "string" ? JSON.stringify(value) : value}\n`)
    .join("");
}
