/** Errors of a request's fields: one field's own, and the one that a caller sees of all that zod found. */
import type { z } from "zod";
import { formatPath, isJsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode } from "../../errors.js";
import { describeIssue } from "../../schema-words.js";

/** The error of one field. `code`: a dialect's own where the field asks for a feature that Codex has no place for. */
export function fieldError(
  param: string,
  message: string,
  code: CodexNativeApiErrorCode = "invalid_request",
): CodexNativeApiError {
  return new CodexNativeApiError(code, `'${param}': ${message}.`, { param });
}

/** What is wrong with a field. */
export interface FieldFault {
  readonly message: string;
  /** It asks for a feature that Codex lacks, and is no mistake of the caller's. */
  readonly unsupported: boolean;
}

/** Hands a fault to zod, which knows where in the body the field is. */
export function addFault(context: z.RefinementCtx, path: (string | number)[], fault: FieldFault): void {
  const { message, unsupported } = fault;
  context.addIssue({ code: "custom", path, message, params: { unsupported } });
}

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

/** For every `safeParse` whose error `toRequestError` reads: with the faulty values, and in our words. */
export const requestParsing = { reportInput: true, error: describeIssue } as const;

/** `unsupported` is the dialect's own code for a feature that Codex has no place for. */
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

/** The first issue; within a union, that of the branch that matched furthest, since the caller meant that one. */
function pickFault(issues: readonly Issue[], base: Path): Fault | null {
  const issue = issues[0];
  if (issue === undefined) return null;
  const path = [...base, ...issue.path];
  if (issue.code !== "invalid_union") return { issue, path };
  let furthest: Fault = { issue, path };
  for (const branch of issue.errors) {
    const fault = pickFault(branch, path);
    if (fault !== null && reach(fault) > reach(furthest)) furthest = fault;
  }
  return furthest;
}

/** How far into a value its check came: a bound is checked only of a value that has the right type. */
function reach({ issue, path }: Fault): number {
  const isBound = issue.code === "too_big" || issue.code === "too_small";
  return path.length + (isBound ? 0.5 : 0);
}

function isUnsupported(issue: Issue, value: unknown): boolean {
  if (issue.code === "custom") return issue.params?.unsupported === true;
  return isUnknownVariant(issue) && typeof value === "string";
}

/** The value at the path of the issue. For an unknown variant, zod reports the object around it. */
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
