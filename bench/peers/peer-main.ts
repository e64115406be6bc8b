/** One peer in a process of its own: what it breaks or leaves running is its own. */
import { TurnClock, type TurnSample } from "../contestants/contestant.js";
import { serveCalls } from "../rig/child-calls.js";
import type { Peer, PeerSetting } from "./peer.js";
import { peers } from "./registry.js";

export type PeerCommand =
  | { readonly type: "open"; readonly setting: PeerSetting }
  | { readonly type: "turn"; readonly prompt: string };

let peer: Peer | null = null;

serveCalls<PeerCommand, TurnSample | null>({
  obey: async (command) => {
    if (command.type === "open") {
      peer = (await peers[command.setting.name]?.(command.setting)) ?? null;
      return null;
    }
    if (peer === null) throw new Error("there is no such peer");
    const clock = new TurnClock();
    clock.noteWhole(await peer.answer(command.prompt));
    return clock.finish();
  },
  close: async () => peer?.close(),
});
