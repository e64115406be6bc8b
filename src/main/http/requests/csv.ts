/** Tables as CSV (RFC 4180), for programs that would take some texts for formulas. */

/** Excel and its kin run a cell that begins so. */
const formulaStart = /^[=+\-@\t\r\n]/;

export function renderCsv(
  columns: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string {
  return [columns, ...rows].map((row) => `${row.map(renderCell).join(",")}\r\n`).join("");
}

function renderCell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = formulaStart.test(value) ? `'${value}` : value;
  // Also texts without a comma: where the reader's separator is another, a part of one would be a cell.
  return `"${text.replaceAll('"', '""')}"`;
}
