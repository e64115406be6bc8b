/** Reads the router's settings from the environment that the host passes in, and reports all faults at once. */
import { z } from "zod";
import { limits } from "../../workers/contract/limits.js";
import { readYesOrNo, yesOrNoWords } from "../config/environment.js";
import { type Machine, readMachine } from "../config/machine.js";
import { suggestName } from "../config/suggest-name.js";
import {
  isSafeForKeys,
  isTokenText,
  keyInTheClear,
  parseLocalApiUrl,
  parseProviderUrl,
} from "./addresses.js";
import {
  allExternalReasons,
  defaultExternalReasons,
  type ExternalReason,
  isExternalReason,
  providerDialects,
} from "./external-reasons.js";
import { deriveServiceToken, deriveServiceUrl } from "./own-service.js";
import { chooseProviderProxy, pickNetwork } from "./provider-network.js";
import { sideTaskClasses } from "./task-classes.js";
import type { SideTaskSettings } from "./types.js";

/** One thing that is wrong with the settings. */
export interface SideTaskSettingsFault {
  /** The variable. */
  readonly source: string;
  /** The value given, as it may be shown; null for a secret, and where nothing was given. */
  readonly given: string | null;
  /** The fault and the values allowed, in one sentence. */
  readonly problem: string;
}

/** Settings of the router, or everything that is wrong with the environment. */
export type SideTaskSettingsResult =
  | {
      readonly ok: true;
      readonly settings: SideTaskSettings;
      /** Parts of the environment that have no effect. */
      readonly warnings: readonly SideTaskSettingsFault[];
    }
  | { readonly ok: false; readonly faults: readonly SideTaskSettingsFault[] };

const localApiPrefix = "CODEXBRIDGE_INTERNAL_NATIVE_API_";
const fallbackPrefix = "CODEX_NATIVE_API_FALLBACK_";
const prefixes = [localApiPrefix, fallbackPrefix];

interface SideTaskVariable<T> {
  readonly name: string;
  readonly schema: z.ZodType<T, string>;
  /** Completes "it takes …". */
  readonly allowed: string;
  readonly default: T | null;
  readonly defaultText: string;
  readonly meaning: string;
  /** Never shown. Default: false. */
  readonly secret?: boolean;
}

const token = z.string().refine(isTokenText);

/** Every variable of the router. docs/side-tasks.md shows this table; a test compares the two. */
export const sideTaskVariables = {
  enabled: {
    name: `${localApiPrefix}ENABLED`,
    schema: parsedBy(readYesOrNo),
    allowed: yesOrNoWords,
    default: false,
    defaultText: "`0`",
    meaning: "1: side tasks may take the service on loopback.",
  },
  baseUrl: {
    name: `${localApiPrefix}BASE_URL`,
    schema: parsedBy(parseLocalApiUrl),
    allowed: "an http:// URL of this machine (loopback), such as http://127.0.0.1:43182",
    default: null,
    defaultText: "from `CODEX_NATIVE_API_HOST` and `CODEX_NATIVE_API_PORT`, else `http://127.0.0.1:43182`",
    meaning: "Where the service listens; a `/v1` at the end may be there or not.",
  },
  authToken: {
    name: `${localApiPrefix}AUTH_TOKEN`,
    schema: token,
    allowed: "visible ASCII characters without spaces",
    default: null,
    defaultText: "from `CODEX_NATIVE_API_AUTH_TOKEN` or `CODEX_NATIVE_API_AUTH_TOKEN_FILE`, else none",
    meaning: "The service's bearer token.",
    secret: true,
  },
  taskClasses: {
    name: `${localApiPrefix}TASK_CLASSES`,
    schema: z
      .string()
      .transform((text) => text.split(",").map((part) => part.trim()))
      .transform((names) => names.filter((name) => name !== ""))
      .pipe(z.array(z.string()).min(1)),
    allowed: `names of task classes, separated by commas: ${sideTaskClasses.join(", ")}`,
    default: [...sideTaskClasses],
    defaultText: "all",
    meaning:
      "Task classes that may take the service on loopback. An unknown name is a warning, and has no effect.",
  },
  timeoutMs: {
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
  },
  fallbackBaseUrl: {
    name: `${fallbackPrefix}BASE_URL`,
    schema: parsedBy(parseProviderUrl),
    allowed: "an http:// or https:// URL, such as https://api.example.com/v1",
    default: null,
    defaultText: "none: no external provider",
    meaning:
      "An OpenAI-compatible provider, as OpenAI's clients take it. Prompts leave this machine when it is used.",
  },
  fallbackApiKey: {
    name: `${fallbackPrefix}API_KEY`,
    schema: token,
    allowed: "visible ASCII characters without spaces",
    default: null,
    defaultText: "none",
    meaning: "The provider's key. With it, the URL has to be https:// or of this machine.",
    secret: true,
  },
  fallbackModel: {
    name: `${fallbackPrefix}MODEL`,
    schema: z.string().regex(/^\S{1,200}$/),
    allowed: "a model id without spaces",
    default: null,
    defaultText: "none",
    meaning: "The provider's model. Needed beside the URL.",
  },
  fallbackDialect: {
    name: `${fallbackPrefix}DIALECT`,
    schema: z.enum(providerDialects),
    allowed: "chat or responses",
    default: null,
    defaultText: "`chat`",
    meaning:
      "Whether the provider is asked at `/chat/completions` or at `/responses` below its URL. No other path of it is used.",
  },
  fallbackOn: {
    name: `${fallbackPrefix}ON`,
    schema: parsedBy(parseReasons),
    allowed: `none, all, or reasons separated by commas: ${allExternalReasons.join(", ")}`,
    default: null,
    defaultText: `\`${defaultExternalReasons.join(",")}\``,
    meaning: "For which reasons a task may be sent to the provider.",
  },
} satisfies Record<string, SideTaskVariable<unknown>>;

/**
 * Reads what the host passes in; an empty variable counts as not set. Beside it reads only the file that
 * `CODEX_NATIVE_API_AUTH_TOKEN_FILE` names, and the platform's home and working directory.
 */
export function readSideTaskSettings(
  env: Readonly<Record<string, string | undefined>>,
  /** Names of the classes that the host defines, beside the router's own. */
  hostClasses: readonly string[] = [],
): SideTaskSettingsResult {
  return readSideTaskSettingsOn(readMachine(), env, hostClasses);
}

export function readSideTaskSettingsOn(
  machine: Machine,
  env: Readonly<Record<string, string | undefined>>,
  hostClasses: readonly string[] = [],
): SideTaskSettingsResult {
  const knownClasses: readonly string[] = [...sideTaskClasses, ...hostClasses];
  const faults: SideTaskSettingsFault[] = [];
  const refuse = (source: string, problem: string, given: string | null = null): void => {
    faults.push({ source, given, problem });
  };
  /** The default also where the value is at fault, which `faults` reports. */
  const read = <T>(variable: SideTaskVariable<T>): T | null => {
    const text = env[variable.name] ?? "";
    if (text === "") return variable.default;
    const parsed = variable.schema.safeParse(text);
    if (parsed.success) return parsed.data;
    // A URL may hold a password.
    const isShown = variable.secret !== true && !text.includes("@");
    const given = isShown ? JSON.stringify(text.slice(0, maxShownChars)) : null;
    const subject = given ?? "the value given (not shown)";
    refuse(variable.name, `${subject} is not allowed; it takes ${variable.allowed}`, given);
    return variable.default;
  };
  const variables = sideTaskVariables;
  const enabled = read(variables.enabled);
  const explicit = { baseUrl: read(variables.baseUrl), authToken: read(variables.authToken) };
  const classNames = read(variables.taskClasses) ?? [];
  // The service's own variables matter only to those who use it, and only where the host does not say otherwise.
  const derives = (variable: SideTaskVariable<string>) => enabled === true && !env[variable.name];
  const localApi = {
    baseUrl:
      (derives(variables.baseUrl)
        ? deriveServiceUrl(env, variables.baseUrl.name, refuse)
        : explicit.baseUrl) ?? "",
    authToken: derives(variables.authToken) ? deriveServiceToken(env, machine, refuse) : explicit.authToken,
    taskClasses: classNames.filter((name) => knownClasses.includes(name)),
    timeoutMs: read(variables.timeoutMs),
  };
  const unknown = classNames.filter((name) => !knownClasses.includes(name));
  const warnings = unknown.map((name): SideTaskSettingsFault => {
    const shown = JSON.stringify(name.slice(0, maxShownChars));
    const problem = `${shown} is not a task class and has no effect; the classes are ${knownClasses.join(", ")}`;
    return { source: variables.taskClasses.name, given: shown, problem };
  });
  const baseUrl = read(variables.fallbackBaseUrl);
  const apiKey = read(variables.fallbackApiKey);
  const model = read(variables.fallbackModel);
  const dialect = read(variables.fallbackDialect);
  const when = read(variables.fallbackOn);
  const given = {
    ...(dialect !== null && { dialect }),
    ...(when !== null && { when }),
  };
  const needed = [variables.fallbackBaseUrl.name, variables.fallbackModel.name];
  const missing = needed.filter((name) => !env[name]);
  const more = [variables.fallbackApiKey, variables.fallbackDialect, variables.fallbackOn];
  if (missing.length < needed.length || more.some(({ name }) => env[name]))
    for (const name of missing) refuse(name, "is needed for an external provider");
  if (baseUrl !== null && apiKey !== null && !isSafeForKeys(baseUrl))
    refuse(variables.fallbackBaseUrl.name, keyInTheClear, JSON.stringify(baseUrl));
  const network = pickNetwork(env);
  const { fault } = chooseProviderProxy(baseUrl, network);
  if (fault !== null) refuse(fault.variable, fault.problem);
  // A mistyped name would switch something off without a word.
  const known = Object.values(variables).map(({ name }): string => name);
  const strangers = Object.keys(env).filter((name) => !known.includes(name));
  for (const name of strangers.sort()) {
    const prefix = prefixes.find((ours) => name.startsWith(ours));
    if (prefix !== undefined)
      refuse(name, `there is no such environment variable${hintAt(name, prefix, known)}`);
  }
  if (faults.length > 0) return { ok: false, faults };
  return {
    ok: true,
    settings: {
      localApi: enabled === true ? localApi : null,
      external: baseUrl === null || model === null ? null : { baseUrl, apiKey, model, ...given },
      ...(network !== null && { network }),
    },
    warnings,
  };
}

/** The prefix is right: only the rest can be mistyped. */
function hintAt(name: string, prefix: string, known: readonly string[]): string {
  const rests = known.filter((other) => other.startsWith(prefix)).map((other) => other.slice(prefix.length));
  const suggestion = suggestName(name.slice(prefix.length), rests);
  return suggestion === null ? "" : `; did you mean ${prefix}${suggestion}?`;
}

function parseReasons(text: string): readonly ExternalReason[] | null {
  if (text === "none") return [];
  if (text === "all") return allExternalReasons;
  const names = text.split(",").map((part) => part.trim());
  return names.every(isExternalReason) ? names : null;
}

const maxShownChars = 120;

/** Text that `parse` reads; `parse` answers null for what it refuses. */
function parsedBy<T>(parse: (text: string) => T | null): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: "custom", message: "not allowed" });
    return z.NEVER;
  });
}
