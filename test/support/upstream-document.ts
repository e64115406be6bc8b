/** Renders the part of docs/errors.md that is made from the table of what the upstream says. */
import { type CodexNativeApiErrorCode, errorCodes, errorKinds } from "../../src/main/errors.js";
import {
  codexErrorKinds,
  networkFaults,
  upstreamBodyCodes,
  upstreamStatuses,
} from "../../src/workers/turn/upstream-faults.js";
import { replaceGenerated } from "./generated-part.js";

export const errorsPagePath = "docs/errors.md";

export function renderErrorsPage(page: string): string {
  return replaceGenerated(page, renderTable());
}

/** What a class of statuses means that have no row of their own. */
const classes: Partial<Record<CodexNativeApiErrorCode, string>> = {
  upstream_bad_request: "other 4xx",
  upstream_connection_failed: "other 5xx and 3xx",
};

function renderTable(): string {
  const rows = errorCodes.flatMap((code) => {
    const kinds = named(codexErrorKinds, (row) => row.code === code);
    const statuses = [
      ...named(upstreamStatuses, (row) => row === code),
      ...(classes[code] === undefined ? [] : [classes[code]]),
    ];
    const bodyCodes = named(upstreamBodyCodes, (row) => row === code);
    if (kinds.length + statuses.length + bodyCodes.length === 0) return [];
    const { status, retryable } = errorKinds[code];
    const cells = [inCode(kinds), statuses.join(", "), inCode(bodyCodes)];
    return [`| \`${code}\` | ${status} | ${retryable ? "yes" : "no"} | ${cells.join(" | ")} |`];
  });
  return [
    "| code | status | retry | Codex's kinds | the backend's statuses | codes in its body |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    `Network faults are \`upstream_connection_failed\`: ${networkFaults.map(({ fault }) => fault).join("; ")}.`,
    "",
  ].join("\n");
}

function named<Row>(table: Readonly<Record<string, Row>>, isOwn: (row: Row) => boolean): readonly string[] {
  return Object.entries(table).flatMap(([name, row]) => (isOwn(row) ? [name] : []));
}

function inCode(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}
