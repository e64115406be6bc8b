import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { ByteTail } from "../contract/byte-tail.js";
import type { SpawnSpec } from "../contract/endpoint.js";
import { createDeferred, settlesWithin } from "../contract/wait.js";
import { describeSystemError } from "./describe-failure.js";
import { MessageTooLargeError, TransportError, unread } from "./errors.js";
import {
  measureMessage,
  type OutgoingMessage,
  type Transport,
  type TransportCallbacks,
  type TransportStartOptions,
} from "./transport.js";

interface StdioTransportOptions {
  readonly spec: SpawnSpec;
  readonly maxMessageBytes: number;
  /** What may wait for the peer to read it before no more is taken. */
  readonly maxBacklogBytes: number;
  readonly stderrTailBytes: number;
  /** The process id once there is one, null when the process is gone. */
  readonly onChild: (pid: number | null) => void;
}

/** `closing`: the wire is done with, the process may still be on its way out. */
type State = "new" | "starting" | "open" | "closing" | "closed";

/** JSON lines on the stdio of a process of our own. */
export class StdioTransport implements Transport {
  readonly #options: StdioTransportOptions;
  readonly #decoder: LineDecoder;
  readonly #stderr: ByteTail;
  /** Settles when nobody hears from this wire any more. */
  readonly #wireDone = createDeferred<void>();
  /** Settles when the process and its pipes are gone. */
  readonly #processDone = createDeferred<void>();
  #state: State = "new";
  #callbacks: TransportCallbacks | null = null;
  #child: ChildProcessWithoutNullStreams | null = null;
  #drained: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;

  constructor(options: StdioTransportOptions) {
    this.#options = options;
    this.#decoder = new LineDecoder(options.maxMessageBytes);
    this.#stderr = new ByteTail(options.stderrTailBytes);
  }

  get stderrTail(): string {
    return this.#stderr.toString();
  }

  async start(callbacks: TransportCallbacks, { signal }: TransportStartOptions): Promise<void> {
    if (this.#state !== "new") throw new TransportError("a transport starts once");
    signal?.throwIfAborted();
    this.#state = "starting";
    try {
      const child = spawnChild(this.#options.spec);
      this.#child = child;
      this.#listen(child);
      // Node reports the outcome of a spawn on the next tick, so this wait needs no deadline.
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        // Stays on: a later signal that cannot be sent is reported here too, and would else be an uncaught exception.
        child.on("error", reject);
      });
    } catch (error) {
      this.#child = null;
      this.#state = "closed";
      throw new TransportError(`cannot run the app-server (${describeSystemError(error)})`, { cause: error });
    }
    if (this.#stopped !== null) {
      await this.#stopped;
      throw new TransportError("the transport was closed while it opened");
    }
    this.#state = "open";
    this.#callbacks = callbacks;
    this.#options.onChild(this.#child.pid ?? null);
  }

  async send(message: OutgoingMessage): Promise<void> {
    const child = this.#child;
    if (this.#state !== "open" || child === null) throw new TransportError("the wire is closed");
    const { maxBacklogBytes } = this.#options;
    if (child.stdin.writableLength > maxBacklogBytes) throw new TransportError(unread);
    if (measureMessage(message) > this.#options.maxMessageBytes) {
      throw new MessageTooLargeError(`a message is larger than ${this.#options.maxMessageBytes} bytes`);
    }
    if (writeLine(child.stdin, message)) return;
    // One listener however many wait, and a child that dies meanwhile ends the wait.
    this.#drained ??= new Promise<void>((resolve) => child.stdin.once("drain", resolve)).then(() => {
      this.#drained = null;
    });
    await Promise.race([this.#drained, this.#wireDone.promise]);
    if (this.#state !== "open") throw new TransportError("the wire closed before the message was taken");
  }

  close(): Promise<void> {
    this.#stopped ??= this.#stop(null, true);
    return this.#stopped;
  }

  destroy(error: Error): Promise<void> {
    this.#endWire(error);
    this.#stopped ??= this.#stop(error, false);
    return this.#stopped;
  }

  #listen(child: ChildProcessWithoutNullStreams): void {
    child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    child.stderr.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    // Without a listener the EPIPE of a dead child would be an uncaught exception. What it means comes with `close`.
    child.stdin.on("error", () => {});
    child.stdout.on("end", () => void this.#expectExit());
    child.once("exit", () => {
      this.#options.onChild(null);
      void this.#releasePipes(child);
    });
    child.once("close", (code, signalName) => {
      const how = signalName === null ? `with code ${code}` : `by ${signalName}`;
      this.#endWire(new TransportError(`the app-server process ended ${how}`));
      this.#state = "closed";
      this.#processDone.resolve();
    });
  }

  #take(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk, (line) => {
        if (this.#state === "open") this.#callbacks?.onMessage(line);
      });
    } catch (error) {
      void this.destroy(error instanceof Error ? error : new TransportError(String(error)));
    }
  }

  /** The process closed its output. It ought to exit now, which says more; one that stays is of no use. */
  async #expectExit(): Promise<void> {
    if (await settlesWithin(this.#processDone.promise, this.#options.spec.stopStepMs)) return;
    void this.destroy(new TransportError("the app-server closed its output"));
  }

  /** A grandchild that holds a pipe open must not keep `close` from coming. */
  async #releasePipes(child: ChildProcessWithoutNullStreams): Promise<void> {
    const closed = await settlesWithin(this.#processDone.promise, this.#options.spec.stopStepMs);
    if (!closed) destroyPipes(child);
  }

  /** Nothing is reported after this. */
  #endWire(error: Error | null): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#wireDone.resolve();
    this.#callbacks?.onClose(error);
  }

  async #stop(error: Error | null, gently: boolean): Promise<void> {
    const child = this.#child;
    if (child === null || this.#state === "closed") {
      this.#state = "closed";
      return;
    }
    this.#endWire(error);
    const { stopStepMs } = this.#options.spec;
    const gone = () => settlesWithin(this.#processDone.promise, stopStepMs);
    child.stdin.end();
    if (gently && (await gone())) return;
    signalProcessTree(child, "SIGTERM");
    if (await gone()) return;
    signalProcessTree(child, "SIGKILL");
    if (await gone()) return;
    // Beyond SIGKILL there is only a process stuck in the kernel. Let go of it rather than hang.
    destroyPipes(child);
    child.unref();
  }
}

/** False while the pipe is full. */
function writeLine(pipe: Writable, message: OutgoingMessage): boolean {
  if (typeof message === "string") return pipe.write(`${message}\n`);
  pipe.cork();
  for (const part of message) pipe.write(part);
  const hasRoom = pipe.write("\n");
  pipe.uncork();
  return hasRoom;
}

function spawnChild({ command, args, cwd, env }: SpawnSpec): ChildProcessWithoutNullStreams {
  return spawn(command, [...args], {
    cwd,
    env,
    // A session of its own: Ctrl-C at the terminal reaches this service only, which then drains and stops the child.
    detached: process.platform !== "win32",
    windowsHide: true,
  });
}

function destroyPipes(child: ChildProcessWithoutNullStreams): void {
  child.stdin.destroy();
  child.stdout.destroy();
  child.stderr.destroy();
}

/** Signals a child that leads a process group of its own, and whatever it started. */
function signalProcessTree(child: ChildProcess, signalName: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-pid, signalName);
  } catch {
    // No groups on this platform, or the group is gone: the child alone, which ignores a signal to the dead.
    child.kill(signalName);
  }
}

const lineFeed = 0x0a;

/**
 * Cuts a byte stream into lines. Works on bytes, because a chunk may end inside a character: only whole lines are
 * turned into text.
 */
export class LineDecoder {
  readonly #maxLineBytes: number;
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes of a line whose end has not come yet. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Calls back for each line that the chunk completes. Throws `MessageTooLargeError`; the stream is lost then. */
  push(chunk: Buffer, onLine: (line: string) => void): void {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, from)) {
      const line = this.#take(chunk.subarray(from, end));
      from = end + 1;
      if (line !== "") onLine(line);
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  #take(tail: Buffer): string {
    if (this.#bufferedBytes === 0) {
      this.#check(tail.length);
      return tail.toString("utf8");
    }
    this.#keep(tail);
    const line = Buffer.concat(this.#chunks, this.#bufferedBytes).toString("utf8");
    this.#chunks = [];
    this.#bufferedBytes = 0;
    return line;
  }

  #keep(part: Buffer): void {
    this.#check(this.#bufferedBytes + part.length);
    this.#chunks.push(part);
    this.#bufferedBytes += part.length;
  }

  #check(lineBytes: number): void {
    if (lineBytes <= this.#maxLineBytes) return;
    this.#chunks = [];
    this.#bufferedBytes = 0;
    throw new MessageTooLargeError(`a line is longer than ${this.#maxLineBytes} bytes`);
  }
}
