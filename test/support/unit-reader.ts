/** What service managers start by the units that `service install` writes, read by the rules of systemd.service(5) and launchd.plist(5). */
import { readFile } from "node:fs/promises";

export interface UnitStart {
  readonly command: readonly string[];
  /** What the unit gives beside that which the manager gives to every service of the user's. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @param configDir the user's, which `%E` stands for. */
export async function readSystemdUnit(text: string, configDir: string): Promise<UnitStart> {
  const settings = (name: string): readonly string[] =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`${name}=`))
      .map((line) => line.slice(name.length + 1));
  const specify = (word: string): string =>
    word.replace(
      /%(.)/g,
      (_, letter: string) => ({ "%": "%", E: configDir })[letter] ?? refuse(`%${letter}`),
    );
  const [execStart = refuse("ExecStart"), ...more] = settings("ExecStart");
  if (more.length > 0) refuse("a second ExecStart");
  const environment: Record<string, string> = {};
  const assign = (assignment: string): void => {
    const at = assignment.indexOf("=");
    environment[assignment.slice(0, at)] = assignment.slice(at + 1);
  };
  for (const value of settings("Environment")) for (const word of splitWords(value)) assign(specify(word));
  // Files come after the unit's own lines and win over them.
  for (const value of settings("EnvironmentFile")) {
    const path = specify(value.replace(/^-/, ""));
    const lines = await readFile(path, "utf8").catch((error: unknown) => {
      if (value.startsWith("-")) return "";
      throw error;
    });
    for (const line of lines.split("\n").filter((one) => /^[^#;\s]/.test(one))) assign(line);
  }
  const command = splitWords(execStart).map((word) =>
    specify(word).replace(/\$(.)/g, (_, sign: string) => (sign === "$" ? "$" : refuse(`$${sign}`))),
  );
  return { command, environment };
}

/** Words in double quotes, with C's escapes. */
function splitWords(value: string): readonly string[] {
  const words = value.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
  if (words.join(" ") !== value) refuse(value);
  return words.map((word) =>
    word
      .slice(1, -1)
      .replace(/\\(u[0-9a-f]{4}|.)/g, (_, code: string) =>
        code.length > 1 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : code,
      ),
  );
}

export function readLaunchdPlist(text: string): UnitStart {
  const inside = (key: string, tag: string): string =>
    new RegExp(`<key>${key}</key>\\s*<${tag}>(.*?)</${tag}>`, "s").exec(text)?.[1] ?? refuse(key);
  const texts = (xml: string, tag: string): readonly string[] =>
    [...xml.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, "gs"))].map(([, found = ""]) => unescapeXml(found));
  const variables = inside("EnvironmentVariables", "dict");
  const values = texts(variables, "string");
  return {
    command: texts(inside("ProgramArguments", "array"), "string"),
    environment: Object.fromEntries(
      texts(variables, "key").map((name, index) => [name, values[index] ?? ""]),
    ),
  };
}

function unescapeXml(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function refuse(what: string): never {
  throw new Error(`the unit has ${what}, or lacks it`);
}
