/** Calls into packages that may not be installed, so that their types are not there either. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isJsonObject } from "../../src/workers/contract/json.js";

export async function importForeign(directory: string, name: string): Promise<unknown> {
  const root = join(directory, "node_modules", name);
  const described: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const entry = isJsonObject(described) ? described.module : null;
  if (typeof entry !== "string") throw new Error(`${name} names no ES module`);
  return import(pathToFileURL(join(root, entry)).href);
}

export function read(owner: unknown, name: string): unknown {
  if ((typeof owner !== "object" && typeof owner !== "function") || owner === null) {
    throw new Error(`there is nothing to read ${name} from`);
  }
  return Reflect.get(owner, name);
}

export function call(owner: unknown, name: string, ...parameters: unknown[]): unknown {
  const member = read(owner, name);
  if (typeof member !== "function") throw new Error(`${name} is no function`);
  return Reflect.apply(member, owner, parameters);
}

export function construct(owner: unknown, name: string, ...parameters: unknown[]): unknown {
  const member = read(owner, name);
  if (typeof member !== "function") throw new Error(`${name} is no class`);
  return Reflect.construct(member, parameters);
}

/** Calls a value that is itself a function. */
export function invoke(callee: unknown, ...parameters: unknown[]): unknown {
  if (typeof callee !== "function") throw new Error("it is no function");
  return Reflect.apply(callee, undefined, parameters);
}
