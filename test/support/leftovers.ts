/** What a service, or a part of it, has left behind in this process and on this machine. */
import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { Resources } from "../soak/resources.js";
import { findProcessesOf, isRunning } from "./processes.js";

const looks = 5;
const lookEveryMs = 20;

/** Taken before something is started; says after its end what is left of it. */
export class Leftovers {
  readonly #resources = Resources.count();
  readonly #directory: string;

  /** @param directory of the test: processes have it in their environment, and the state directory is in it. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** By name; empty where nothing is left. What only ends in this moment is given another moment. */
  async find(url: string | null = null): Promise<readonly string[]> {
    for (let look = 1; ; look += 1) {
      const found = await this.#look(url);
      if (found.length === 0 || look === looks) return found;
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }

  async #look(url: string | null): Promise<readonly string[]> {
    const { kinds } = this.#resources.leaked();
    const found = [...kinds]
      // Of the rest only a histogram was seen that measures nothing, until it is collected.
      .filter(([kind, count]) => count > 0 && kind !== "other")
      .map(([kind, count]) => `${count} ${kind}`);
    for (const pid of await findProcessesOf(this.#directory)) found.push(`process ${pid}`);
    for (const pid of await findChildren()) found.push(`child ${pid}`);
    for (const path of await readdir(this.#directory, { recursive: true })) {
      if (path.endsWith(".sock")) found.push(`socket ${path}`);
      // Instances that were given up are free for the next service.
      if (/instances\/(?!free-)[^/]+$/.test(path)) found.push(`instance ${path}`);
    }
    if (url !== null && (await isListening(url))) found.push(`port of ${url}`);
    return found;
  }
}

/** Child processes of this one, with the command. None where there is no /proc. */
async function findChildren(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir("/proc").catch(() => [])) {
    const stat = await readFile(join("/proc", entry, "stat"), "utf8").catch(() => "");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (parent !== process.pid || !(await isRunning(Number(entry)))) continue;
    const command = await readFile(join("/proc", entry, "cmdline"), "utf8").catch(() => "");
    found.push(`${entry} (${command.replaceAll("\0", " ").trim().slice(0, 120)})`);
  }
  return found;
}

function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
