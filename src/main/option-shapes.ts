/** Checks the options that a host gives a class: a host in JavaScript, or for another version, has no compiler to do that. */
import { isJsonObject } from "../workers/contract/json.js";

/** What an option takes. */
export interface OptionShape {
  /** Completes "it takes …". */
  readonly takes: string;
  readonly accepts: (value: unknown) => boolean;
  readonly isRequired: boolean;
}

export const required = (takes: string, accepts: OptionShape["accepts"]): OptionShape => ({
  takes,
  accepts,
  isRequired: true,
});

export const optional = (takes: string, accepts: OptionShape["accepts"]): OptionShape => ({
  takes,
  accepts,
  isRequired: false,
});

/** Whether the value is an object with all of these methods. */
export function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  return names.every((name) => typeof Reflect.get(value, name) === "function");
}

export const isText = (value: unknown): boolean => typeof value === "string" && value !== "";

export const isAny = (): boolean => true;

export const isNumber = (value: unknown): boolean => typeof value === "number" && !Number.isNaN(value);

/** Of pino, or any logger with its methods. */
export const isLogger = (value: unknown): boolean => hasMethods(value, "debug", "info", "warn", "error");

/** Variables by name. */
export function isEnvironment(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  return Object.values(value).every((text) => text === undefined || typeof text === "string");
}

/** What is wrong with one option. */
export interface OptionFault {
  /** Null where there are no options at all. */
  readonly name: string | null;
  /** In a sentence that names it. */
  readonly problem: string;
}

/**
 * Every option that is missing, unknown or of the wrong shape. `hintOf` adds to an unknown name what was probably meant. An option that is
 * undefined counts as left out.
 */
export function inspectOptions(
  options: unknown,
  shapes: Readonly<Record<string, OptionShape>>,
  hintOf: (name: string) => string = () => "",
): readonly OptionFault[] {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    return [{ name: null, problem: `the options must be an object with ${Object.keys(shapes).join(", ")}` }];
  const wrong = Object.entries(shapes).flatMap(([name, { takes, accepts, isRequired }]) => {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined)
      return isRequired ? [{ name, problem: `${name} is missing; it takes ${takes}` }] : [];
    return accepts(value) ? [] : [{ name, problem: `${name} is not allowed; it takes ${takes}` }];
  });
  const unknown = Object.entries(options).filter(
    ([name, value]) => !Object.hasOwn(shapes, name) && value !== undefined,
  );
  return [
    ...wrong,
    ...unknown.map(([name]) => ({ name, problem: `there is no option ${name}${hintOf(name)}` })),
  ];
}

/** The same in words. */
export function findOptionFaults(...asked: Parameters<typeof inspectOptions>): readonly string[] {
  return inspectOptions(...asked).map(({ problem }) => problem);
}

/** @throws TypeError that names all faults, if there are any. */
export function refuseFaults(subject: string, faults: readonly string[]): void {
  if (faults.length > 0) throw new TypeError(`${subject}: ${faults.join("; ")}.`);
}
