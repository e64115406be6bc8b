import { fileURLToPath } from "node:url";
import type { PeerSetting } from "../peers/peer.js";
import type { PeerCommand } from "../peers/peer-main.js";
import { ChildCalls } from "../rig/child-calls.js";
import type { Resources } from "../rig/resources.js";
import { type Contestant, type TurnSample, turnDeadlineMs } from "./contestant.js";

const openTimeoutMs = 20_000;
/** From `build/bench/contestants` to the sources, where the packages are installed. */
export const peersDirectory = fileURLToPath(new URL("../../../bench/peers", import.meta.url));

/** Another package, in a process of its own. */
export class PeerContestant implements Contestant {
  readonly name: string;
  readonly servicePid = null;
  readonly appServerPid = null;
  readonly #calls: ChildCalls<PeerCommand, TurnSample | null>;

  private constructor(name: string, calls: ChildCalls<PeerCommand, TurnSample | null>) {
    this.name = name;
    this.#calls = calls;
  }

  static async open(resources: Resources, setting: PeerSetting): Promise<PeerContestant> {
    const module = fileURLToPath(new URL("../peers/peer-main.js", import.meta.url));
    const calls = await ChildCalls.start<PeerCommand, TurnSample | null>(resources, {
      what: setting.name,
      module,
      env: { ...setting.environment },
      quiet: true,
    });
    await calls.ask({ type: "open", setting }, openTimeoutMs);
    return new PeerContestant(setting.name, calls);
  }

  async runTurn(prompt: string): Promise<TurnSample> {
    const sample = await this.#calls.ask({ type: "turn", prompt }, turnDeadlineMs);
    if (sample === null) throw new Error("no answer");
    return sample;
  }
}
