/** What zod finds wrong with a value that a caller or a host gave, in our own words. */
import type { z } from "zod";

const kinds: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
};

/**
 * Completes a sentence that begins with the name of the field. For `safeParse`, where it applies to every schema that has no `error` of
 * its own.
 */
export function describeIssue(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
    case "invalid_value":
    case "invalid_union": {
      const accepted = listAccepted(issue);
      return accepted.length === 0 ? "is not allowed" : `must be ${joinChoices(accepted)}`;
    }
    case "too_big":
      if (issue.origin === "string") return `is longer than ${issue.maximum} characters`;
      if (issue.origin === "array") return `holds more than ${issue.maximum} elements`;
      return `must be at most ${issue.maximum}`;
    case "too_small":
      if (issue.origin !== "string" && issue.origin !== "array") return `must be at least ${issue.minimum}`;
      if (issue.minimum === 1) return "must not be empty";
      return issue.origin === "string"
        ? `is shorter than ${issue.minimum} characters`
        : `holds fewer than ${issue.minimum} elements`;
    case "unrecognized_keys":
      return `must not have ${joinChoices(issue.keys.map(quote))}`;
    default:
      return "is not allowed";
  }
}

type Issue = z.core.$ZodRawIssue | z.core.$ZodIssue;

/** Everything that the value itself might have been; of a union, what each branch takes. */
function listAccepted(issue: Issue): readonly string[] {
  switch (issue.code) {
    case "invalid_type":
      return [kinds[issue.expected] ?? issue.expected];
    case "invalid_value":
      return issue.values.map(quote);
    case "invalid_union": {
      const ofBranches = issue.errors.flatMap((branch) =>
        branch.filter(({ path }) => path.length === 0).flatMap((inner) => listAccepted(inner)),
      );
      return [...new Set(ofBranches)];
    }
    default:
      return [];
  }
}

function quote(value: unknown): string {
  return typeof value === "string" ? `'${value.slice(0, 64)}'` : String(value);
}

function joinChoices(choices: readonly string[]): string {
  const last = choices.at(-1) ?? "";
  return choices.length < 2 ? last : `${choices.slice(0, -1).join(", ")} or ${last}`;
}
