/** What the preloaded modules wrote down while a test file ran. */
import { readFile } from "node:fs/promises";

export interface Deprecation {
  readonly code: string;
  readonly message: string;
  /** Empty where the warning was only printed. */
  readonly stack: string;
}

export interface Records {
  readonly deprecations: readonly Deprecation[];
  /** Packages that the tests loaded in their newest version. */
  readonly clients: readonly string[];
}

/** Reads the file; none: nothing was written. `printed` are stderr's lines: threads with options of their own only print their warnings. */
export async function readRecords(path: string, printed: readonly string[]): Promise<Records> {
  const text = await readFile(path, "utf8").catch(() => "");
  const deprecations: Deprecation[] = [];
  const clients = new Set<string>();
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const record = JSON.parse(line);
    if ("client" in record) clients.add(String(record.client));
    else deprecations.push(record);
  }
  for (const line of printed) {
    const [, code = "", message] = /^\(node:\d+\) (?:\[(\w+)\] )?DeprecationWarning: (.*)/.exec(line) ?? [];
    if (message !== undefined) deprecations.push({ code, message, stack: "" });
  }
  return { deprecations, clients: [...clients] };
}

/** A line of a stack, with the path of its file; none of Node's own, which are `node:…`. */
const framePattern = /^\s+at (?:.*\(|async )?(?:file:\/\/)?(\/[^:()]*|[A-Z]:[^:()]*):\d+:\d+\)?$/;

const ownPackage = "codex-native-api";

/**
 * The package that uses what is deprecated; null: ours, or nobody's that the stack names, which must be looked at as well. A deprecation
 * of Node's own is of the code that called Node. One of a library's is of whoever called the library, so it is ours if we are in
 * the stack at all.
 */
export function findDeprecatedUser({ code, stack }: Deprecation): string | null {
  const users = stack
    .split("\n")
    .flatMap((line) => framePattern.exec(line)?.[1] ?? [])
    .map(readPackage);
  if (/^DEP\d+$/.test(code)) return users[0] ?? null;
  return users.includes(null) ? null : (users[0] ?? null);
}

/** Which package the file is of; null: ours. */
function readPackage(path: string): string | null {
  const inside = path.replaceAll("\\", "/").split("/node_modules/").slice(1).at(-1);
  const name = inside === undefined ? undefined : /^(?:@[^/]+\/)?[^/]+/.exec(inside)?.[0];
  return name === undefined || name === ownPackage ? null : name;
}
