/** The host's changes to the classes, checked at the edge: a host without types may have given anything. */
import { z } from "zod";
import { isJsonObject } from "../../workers/contract/json.js";
import { limits } from "../../workers/contract/limits.js";
import type { JsonObject } from "../runtime/types.js";
import { describeIssue } from "../schema-words.js";
import { CodexNativeApiSideTaskError } from "./side-task-error.js";
import {
  defaultTaskClasses,
  hostClassDefaults,
  type SideTaskClassOverrides,
  type SideTaskClassSettings,
  sideTaskClasses,
} from "./task-classes.js";

/** Classes that a host may define. */
export const maxHostClasses = 64;

/** Also what the Responses API takes as the name of a schema. */
const className = /^[a-zA-Z0-9_-]{1,64}$/;

const text = z.string().min(1).max(200).nullable();

const overrides = z.strictObject({
  effort: text.optional(),
  timeoutMs: z.int().min(1).max(limits.maxTimerMs).optional(),
  verbosity: z.enum(["low", "medium", "high"]).nullable().optional(),
  model: text.optional(),
  outputHint: z.string().nullable().optional(),
  outputSchema: z.custom<JsonObject>(isJsonObject, { error: "must be an object" }).nullable().optional(),
});

/**
 * The settings of every class: the defaults with the host's changes over them.
 *
 * @throws CodexNativeApiSideTaskError `bad_request` that names the field.
 */
export function resolveTaskClasses(
  changes: SideTaskClassOverrides,
): Readonly<Record<string, SideTaskClassSettings>> {
  if (!isJsonObject(changes)) throw refused("taskClasses", "It must be an object of classes by name.");
  const classes = new Map<string, SideTaskClassSettings>(Object.entries(defaultTaskClasses));
  for (const [name, change] of Object.entries(changes)) {
    const at = `taskClasses.${name.slice(0, 64)}`;
    if (!className.test(name)) throw refused(at, "The name must be 1 to 64 letters, digits, _ or -.");
    const parsed = overrides.safeParse(change ?? {}, { error: describeIssue });
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw refused([at, ...(issue?.path ?? [])].join("."), `It ${issue?.message ?? "is not allowed"}.`);
    }
    const given = Object.entries(parsed.data).filter(([, value]) => value !== undefined);
    classes.set(name, { ...(classes.get(name) ?? hostClassDefaults), ...Object.fromEntries(given) });
  }
  if (classes.size > sideTaskClasses.length + maxHostClasses)
    throw refused("taskClasses", `A host may define at most ${maxHostClasses} classes.`);
  return Object.fromEntries(classes);
}

function refused(param: string, message: string): CodexNativeApiSideTaskError {
  return new CodexNativeApiSideTaskError("bad_request", message, { param });
}
