/** The router's settings from the environment of the host, which passes it in. All faults are told at once. */

import { z } from "zod";
import { limits } from "../../workers/contract/limits.js";
import {
  isSafeForKeys,
  isTokenText,
  keyInTheClear,
  parseLocalApiUrl,
  parseProviderUrl,
} from "./addresses.js";
import { sideTaskClasses } from "./task-classes.js";
import type { SideTaskSettings } from "./types.js";

/** One thing that is wrong with the settings. */
export interface SideTaskSettingsFault {
  /** The variable. */
  readonly source: string;
  /** What was given, as it may be shown; null for a secret, and where nothing was given. */
  readonly given: string | null;
  /** What is wrong and what is allowed. */
  readonly problem: string;
}

/** Settings of the router, or everything that is wrong with the environment. */
export type SideTaskSettingsResult =
  | { readonly ok: true; readonly settings: SideTaskSettings }
  | { readonly ok: false; readonly faults: readonly SideTaskSettingsFault[] };

const localApiPrefix = "CODEXBRIDGE_INTERNAL_NATIVE_API_";
const fallbackPrefix = "CODEX_NATIVE_API_FALLBACK_";

interface SideTaskVariable<T> {
  readonly name: string;
  readonly schema: z.ZodType<T, string>;
  /** Completes "it takes …". */
  readonly allowed: string;
  readonly default: T | null;
  readonly defaultText: string;
  readonly meaning: string;
  readonly secret: boolean;
}

const token = z.string().refine(isTokenText);

const switchWords = new Map([
  ["1", true],
  ["true", true],
  ["0", false],
  ["false", false],
]);

/** Every variable of the router's. docs/side-tasks.md shows this table; a test compares the two. */
export const sideTaskVariables = {
  enabled: defineVariable({
    name: `${localApiPrefix}ENABLED`,
    schema: parsedBy((text) => switchWords.get(text.toLowerCase()) ?? null),
    allowed: "1 or 0",
    default: false,
    defaultText: "`0`",
    meaning: "1: side tasks may take the service on loopback.",
  }),
  baseUrl: defineVariable({
    name: `${localApiPrefix}BASE_URL`,
    schema: parsedBy(parseLocalApiUrl),
    allowed: "an http:// URL of this machine (loopback), such as http://127.0.0.1:43182",
    default: "http://127.0.0.1:43182",
    defaultText: "`http://127.0.0.1:43182`",
    meaning: "Where the service listens; a `/v1` at the end may be there or not.",
  }),
  authToken: defineVariable({
    name: `${localApiPrefix}AUTH_TOKEN`,
    schema: token,
    allowed: "visible ASCII characters without spaces",
    default: null,
    defaultText: "none",
    meaning: "The service's bearer token.",
    secret: true,
  }),
  taskClasses: defineVariable({
    name: `${localApiPrefix}TASK_CLASSES`,
    schema: z
      .string()
      .transform((text) => text.split(",").map((part) => part.trim()))
      .pipe(z.array(z.enum(sideTaskClasses)).min(1)),
    allowed: `names of task classes, separated by commas: ${sideTaskClasses.join(", ")}`,
    default: [...sideTaskClasses],
    defaultText: "all",
    meaning: "Task classes that may take the service on loopback.",
  }),
  timeoutMs: defineVariable({
    name: `${localApiPrefix}TIMEOUT_MS`,
    schema: z
      .string()
      .regex(/^\d{1,10}$/)
      .transform(Number)
      .pipe(z.int().min(1).max(limits.maxTimerMs)),
    allowed: `an integer from 1 to ${limits.maxTimerMs} (milliseconds)`,
    default: null,
    defaultText: "none",
    meaning: "Longest time a task may spend on the service, in milliseconds, beside its own time.",
  }),
  fallbackBaseUrl: defineVariable({
    name: `${fallbackPrefix}BASE_URL`,
    schema: parsedBy(parseProviderUrl),
    allowed: "an http:// or https:// URL, such as https://api.example.com/v1",
    default: null,
    defaultText: "none: no external provider",
    meaning:
      "An OpenAI-compatible provider, as OpenAI's clients take it. Prompts leave this machine when it is used.",
  }),
  fallbackApiKey: defineVariable({
    name: `${fallbackPrefix}API_KEY`,
    schema: token,
    allowed: "visible ASCII characters without spaces",
    default: null,
    defaultText: "none",
    meaning: "The provider's key. With it, the URL has to be https:// or of this machine.",
    secret: true,
  }),
  fallbackModel: defineVariable({
    name: `${fallbackPrefix}MODEL`,
    schema: z.string().regex(/^\S{1,200}$/),
    allowed: "a model id without spaces",
    default: null,
    defaultText: "none",
    meaning: "The provider's model. Needed beside the URL.",
  }),
};

/** Reads what the host hands in; unset and empty are the same. */
export function readSideTaskSettings(
  env: Readonly<Record<string, string | undefined>>,
): SideTaskSettingsResult {
  const reader = new VariableReader(env);
  const enabled = reader.read(sideTaskVariables.enabled);
  const localApi = {
    baseUrl: reader.read(sideTaskVariables.baseUrl) ?? "",
    authToken: reader.read(sideTaskVariables.authToken),
    taskClasses: reader.read(sideTaskVariables.taskClasses) ?? [],
    timeoutMs: reader.read(sideTaskVariables.timeoutMs),
  };
  const baseUrl = reader.read(sideTaskVariables.fallbackBaseUrl);
  const apiKey = reader.read(sideTaskVariables.fallbackApiKey);
  const model = reader.read(sideTaskVariables.fallbackModel);
  reader.requireTogether(
    [sideTaskVariables.fallbackBaseUrl, sideTaskVariables.fallbackModel],
    sideTaskVariables.fallbackApiKey,
  );
  if (baseUrl !== null && apiKey !== null && !isSafeForKeys(baseUrl)) {
    const source = sideTaskVariables.fallbackBaseUrl.name;
    reader.addFault({ source, given: JSON.stringify(baseUrl), problem: keyInTheClear });
  }
  reader.refuseStrangers();
  if (reader.faults.length > 0) return { ok: false, faults: reader.faults };
  return {
    ok: true,
    settings: {
      localApi: enabled === true ? localApi : null,
      external: baseUrl === null || model === null ? null : { baseUrl, apiKey, model },
    },
  };
}

const maxShownChars = 120;

class VariableReader {
  readonly faults: SideTaskSettingsFault[] = [];
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** The default where nothing is set, and where what is set is at fault: that is told anyway. */
  read<T>(variable: SideTaskVariable<T>): T | null {
    const text = this.#env[variable.name] ?? "";
    if (text === "") return variable.default;
    const parsed = variable.schema.safeParse(text);
    if (parsed.success) return parsed.data;
    // A URL may hold a password.
    const isShown = !variable.secret && !text.includes("@");
    const given = isShown ? JSON.stringify(text.slice(0, maxShownChars)) : null;
    const subject = given ?? "the value given (not shown)";
    const problem = `${subject} is not allowed; it takes ${variable.allowed}`;
    this.addFault({ source: variable.name, given, problem });
    return variable.default;
  }

  /** None of the needed ones may be missing once any of them, or the one that goes with them, is set. */
  requireTogether(needed: readonly { readonly name: string }[], beside: { readonly name: string }): void {
    if (![...needed, beside].some(({ name }) => this.#isSet(name))) return;
    for (const { name } of needed) {
      if (this.#isSet(name)) continue;
      this.addFault({ source: name, given: null, problem: "is needed for an external provider" });
    }
  }

  /** A mistyped name would switch something off without a word. */
  refuseStrangers(): void {
    const known = new Set(Object.values(sideTaskVariables).map(({ name }) => name));
    const ours = Object.keys(this.#env).filter(
      (name) => name.startsWith(localApiPrefix) || name.startsWith(fallbackPrefix),
    );
    for (const source of ours.sort()) {
      if (!known.has(source)) {
        this.addFault({ source, given: null, problem: "there is no such environment variable" });
      }
    }
  }

  #isSet(name: string): boolean {
    return (this.#env[name] ?? "") !== "";
  }

  addFault(fault: SideTaskSettingsFault): void {
    this.faults.push(fault);
  }
}

function defineVariable<T>(
  variable: Omit<SideTaskVariable<T>, "secret"> & { readonly secret?: boolean },
): SideTaskVariable<T> {
  return { secret: false, ...variable };
}

/** Text that `parse` reads; it answers null for what it does not take. */
function parsedBy<T>(parse: (text: string) => T | null): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: "custom", message: "not allowed" });
    return z.NEVER;
  });
}
