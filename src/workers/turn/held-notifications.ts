import type { ThreadNotification } from "../app-server/protocol.js";
import { measureJsonBytes } from "../contract/json.js";
import { limits } from "../contract/limits.js";

/** About what one notification takes in memory beside its texts, in bytes. */
const bytesEach = 200;
/** What Codex puts around an item that it echoes: the ids of thread, turn and item. It outweighs a short message many times. */
const echoEnvelopeBytes = 256;

/**
 * Notifications that a turn cannot take yet: those that come before the answer to `turn/start` names the turn, and those of a
 * model that continues while the caller runs its functions. Bounded in number and bytes.
 */
export class HeldNotifications {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #held: ThreadNotification[] = [];
  #bytes = 0;

  /** @param injected what the turn injects: Codex echoes it, mostly before it answers `turn/start`. */
  constructor({ count, bytes }: { readonly count: number; readonly bytes: number }) {
    this.#maxCount = limits.maxHeldNotifications + count;
    this.#maxBytes = limits.maxHeldBytes + (bytesEach + echoEnvelopeBytes) * count + bytes;
  }

  /** False for the notification that is too much: all is dropped then, and the turn cannot continue. */
  add(notification: ThreadNotification): boolean {
    this.#held.push(notification);
    this.#bytes += bytesEach + measureJsonBytes(notification.params);
    const fits = this.#held.length <= this.#maxCount && this.#bytes <= this.#maxBytes;
    if (!fits) this.take();
    return fits;
  }

  /** Hands out what is held, in the order it came. */
  take(): readonly ThreadNotification[] {
    const held = this.#held;
    this.#held = [];
    this.#bytes = 0;
    return held;
  }
}
