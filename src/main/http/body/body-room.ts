import type { Socket } from "node:net";

/** So much of each connection's body needs no room: whoever fills the room does not keep small requests out. */
export const alwaysReadBytes = 64 * 1024;

/** A caller may hold up to this many times as much as is left for all others, so there is always some left. */
const shareOfFree = 3;

/** A body that stands still for this long gives its room up to one that needs it, in milliseconds. */
const idleMs = 2_000;

/** A body that is still coming. */
export interface ArrivingBody {
  /** For how long nothing of it has come, in milliseconds. */
  readonly silentMs: number;
  /** Must release what it holds at once. */
  giveUp(): void;
}

/** The part of one body. */
export interface HeldBody {
  /** False when there is no room for these bytes; they are not counted then. */
  hold(bytes: number): boolean;
  /** All of it has come: from now on it keeps its room until it is released. */
  settle(): void;
  release(): void;
}

/**
 * The memory that the bodies of all requests under way share, from their first byte until their answers end. It is shared
 * fairly: one caller, however many connections it has, leaves room to others.
 */
export class BodyRoom {
  readonly #sizeBytes: () => number;
  readonly #heldBy = new Map<string, number>();
  readonly #arriving = new Set<ArrivingBody>();
  /** Connections with a body whose first bytes are not counted; another one that comes behind it is counted whole. */
  readonly #connections = new WeakSet<Socket>();
  #heldBytes = 0;

  constructor(sizeBytes: () => number) {
    this.#sizeBytes = sizeBytes;
  }

  open(caller: string, socket: Socket, body: ArrivingBody): HeldBody {
    const uncounted = this.#connections.has(socket) ? 0 : alwaysReadBytes;
    if (uncounted > 0) this.#connections.add(socket);
    this.#arriving.add(body);
    let bytesSoFar = 0;
    let counted = 0;
    let isReleased = false;
    return {
      hold: (bytes) => {
        const more = Math.max(0, bytesSoFar + bytes - uncounted) - counted;
        if (isReleased || !this.#makeRoom(caller, more, body)) return false;
        bytesSoFar += bytes;
        counted += more;
        this.#count(caller, more);
        return true;
      },
      settle: () => this.#arriving.delete(body),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#arriving.delete(body);
        if (uncounted > 0) this.#connections.delete(socket);
        this.#count(caller, -counted);
      },
    };
  }

  #count(caller: string, bytes: number): void {
    if (bytes === 0) return;
    this.#heldBytes += bytes;
    const held = (this.#heldBy.get(caller) ?? 0) + bytes;
    if (held > 0) this.#heldBy.set(caller, held);
    else this.#heldBy.delete(caller);
  }

  #makeRoom(caller: string, bytes: number, body: ArrivingBody): boolean {
    while (!this.#hasRoom(caller, bytes)) {
      const idle = this.#findIdle(body);
      if (idle === null) return false;
      idle.giveUp();
      this.#arriving.delete(idle);
    }
    return true;
  }

  #hasRoom(caller: string, bytes: number): boolean {
    if (bytes === 0) return true;
    const held = (this.#heldBy.get(caller) ?? 0) + bytes;
    const free = this.#sizeBytes() - this.#heldBytes - bytes;
    return held <= free * shareOfFree;
  }

  /** The one that has stood still for longest. */
  #findIdle(asking: ArrivingBody): ArrivingBody | null {
    let found: ArrivingBody | null = null;
    let longestMs = idleMs;
    for (const body of this.#arriving) {
      const { silentMs } = body;
      if (body === asking || silentMs < longestMs) continue;
      found = body;
      longestMs = silentMs;
    }
    return found;
  }
}
