import type { ThreadNotification } from "../app-server/protocol.js";
import { limits } from "../contract/limits.js";
import { measureJsonBytes } from "../contract/measure-json.js";

/** About what one notification takes in memory beside its texts, in bytes. */
const bytesEach = 200;
/** What Codex puts around an item that it echoes: the ids of thread, turn and item. It outweighs a short message many times. */
const echoEnvelopeBytes = 256;

/**
 * Notifications that a turn cannot take yet: those that come before the answer to `turn/start` names the turn, and those of a
 * model that goes on while the caller runs its functions. Bounded in number and bytes; the first one too many empties it for good.
 */
export class HeldNotifications {
  /** What the turn injects: Codex echoes it, mostly before it answers `turn/start`. */
  readonly #injected: { readonly count: number; readonly bytes: number };
  #held: ThreadNotification[] = [];
  #bytes = 0;
  #overflowed = false;

  constructor(injected: { readonly count: number; readonly bytes: number }) {
    this.#injected = injected;
  }

  /** More came than is kept: what was held is gone, and the turn cannot go on. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** False, once, for the notification that is too much. */
  add(notification: ThreadNotification): boolean {
    if (this.#overflowed) return true;
    this.#held.push(notification);
    this.#bytes += bytesEach + measureJsonBytes(notification.params);
    if (this.#fits()) return true;
    this.#overflowed = true;
    this.#held = [];
    return false;
  }

  /** Hands out what is held, in the order it came. */
  take(): readonly ThreadNotification[] {
    const held = this.#held;
    this.#held = [];
    this.#bytes = 0;
    return held;
  }

  #fits(): boolean {
    const { count, bytes } = this.#injected;
    if (this.#held.length > limits.maxHeldNotifications + count) return false;
    return this.#bytes <= limits.maxHeldBytes + (bytesEach + echoEnvelopeBytes) * count + bytes;
  }
}
