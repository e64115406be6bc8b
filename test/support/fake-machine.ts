import type { FileRead, Machine } from "../../src/main/config/machine.js";

/** A file as text (private) or as any read result. */
export type FakeFiles = Readonly<Record<string, string | FileRead>>;

/** A Linux machine with four cores and exactly the files given. */
export function fakeMachine(files: FakeFiles = {}, facts: Partial<Machine> = {}): Machine {
  return {
    platform: "linux",
    homeDir: "/home/ada",
    workingDir: "/srv/app",
    cores: 4,
    readFile: (path) => {
      const file = files[path];
      if (file === undefined) return { kind: "missing" };
      return typeof file === "string" ? { kind: "text", text: file, isPrivate: true } : file;
    },
    ...facts,
  };
}
