/** Turns what zod found into the one error a caller sees, with the path of the field at fault. */
import type { z } from "zod";
import { isJsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode } from "../../errors.js";

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

interface Fault {
  readonly issue: Issue;
  readonly path: Path;
}

/** Where in the body the value lay that was checked. */
export interface FaultPlace {
  readonly path: Path;
  /** A list within it of which only a part was checked: its name, and how many elements came before. */
  readonly part?: { readonly name: string; readonly from: number };
}

const wholeBody: FaultPlace = { path: [] };

/**
 * `unsupported` is the dialect's own code for a feature that Codex has no place for. The error must have been made with
 * `reportInput`.
 */
export function toRequestError(
  error: z.ZodError,
  unsupported: CodexNativeApiErrorCode,
  place: FaultPlace = wholeBody,
): CodexNativeApiError {
  const fault = pickFault(error.issues, []);
  if (fault === null) return new CodexNativeApiError("invalid_request", "The request body is not valid.");
  const path = locate(fault.path, place);
  const param = path.length === 0 ? null : formatPath(path);
  const value = faultyValue(fault.issue);
  const code = isUnsupported(fault.issue, value) ? unsupported : "invalid_request";
  return new CodexNativeApiError(code, describe(fault.issue, param, value), { param });
}

function locate(path: Path, { path: outer, part }: FaultPlace): Path {
  const [name, index, ...rest] = path;
  const isInPart = part !== undefined && name === part.name && typeof index === "number";
  return [...outer, ...(isInPart ? [name, index + part.from, ...rest] : path)];
}

/** The first issue; within a union the branch that went deepest, for that is the one the caller meant. */
function pickFault(issues: readonly Issue[], base: Path): Fault | null {
  const issue = issues[0];
  if (issue === undefined) return null;
  const path = [...base, ...issue.path];
  if (issue.code !== "invalid_union") return { issue, path };
  let deepest: Fault = { issue, path };
  for (const branch of issue.errors) {
    const fault = pickFault(branch, path);
    if (fault !== null && fault.path.length > deepest.path.length) deepest = fault;
  }
  return deepest;
}

function isUnsupported(issue: Issue, value: unknown): boolean {
  if (issue.code === "custom") return issue.params?.unsupported === true;
  return isUnknownVariant(issue) && typeof value === "string";
}

/** What stood at the path of the issue. For a variant nobody knows, zod reports the object around it. */
function faultyValue(issue: Issue): unknown {
  if (!isUnknownVariant(issue)) return issue.input;
  const discriminator = issue.path.at(-1);
  return isJsonObject(issue.input) && typeof discriminator === "string"
    ? issue.input[discriminator]
    : undefined;
}

function isUnknownVariant(issue: Issue): boolean {
  return issue.code === "invalid_union" && issue.errors.length === 0;
}

function describe(issue: Issue, param: string | null, value: unknown): string {
  const name = param === null ? "The request body" : `'${param}'`;
  if (value === undefined && issue.code !== "custom") return `${name} is missing.`;
  if (isUnknownVariant(issue)) {
    return typeof value === "string"
      ? `${name}: '${value.slice(0, 64)}' is not supported by this server.`
      : `${name} must be a string.`;
  }
  return `${name}: ${issue.message}.`;
}

/** `input[2].content[0].type`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? String(key) : `.${String(key)}`;
  }
  return text;
}
