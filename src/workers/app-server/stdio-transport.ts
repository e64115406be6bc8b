import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { ByteTail } from "../contract/byte-tail.js";
import type { SpawnSpec } from "../contract/endpoint.js";
import { createDeferred, settlesWithin } from "../contract/wait.js";
import { describeSystemError, MessageTooLargeError, TransportError } from "./errors.js";
import {
  type OutgoingMessage,
  StreamTransport,
  type TransportCallbacks,
  type TransportStartOptions,
} from "./transport.js";

interface StdioTransportOptions {
  readonly spec: SpawnSpec;
  /** Largest message in either direction. */
  readonly maxMessageBytes: number;
  readonly maxBacklogBytes: number;
  readonly stderrTailBytes: number;
  /** The process id once there is one, null when the process has ended. */
  readonly onChild: (pid: number | null) => void;
}

/** JSON lines on the stdio of a process of our own. */
export class StdioTransport extends StreamTransport {
  readonly #options: StdioTransportOptions;
  readonly #decoder: LineDecoder;
  readonly #stderr: ByteTail;
  /** Settles when the process and its pipes have ended. */
  readonly #processDone = createDeferred<void>();
  #child: ChildProcessWithoutNullStreams | null = null;

  constructor(options: StdioTransportOptions) {
    super({ maxSentBytes: options.maxMessageBytes, maxBacklogBytes: options.maxBacklogBytes });
    this.#options = options;
    this.#decoder = new LineDecoder(options.maxMessageBytes);
    this.#stderr = new ByteTail(options.stderrTailBytes);
  }

  get stderrTail(): string {
    return this.#stderr.toString();
  }

  protected get stream(): Writable | null {
    return this.#child?.stdin ?? null;
  }

  async start(callbacks: TransportCallbacks, { signal }: TransportStartOptions): Promise<void> {
    if (this.state !== "new") throw new TransportError("a transport starts once");
    signal?.throwIfAborted();
    this.state = "opening";
    try {
      this.#child = spawnChild(this.#options.spec);
      this.#listen(this.#child);
      // Node reports the outcome of a spawn on the next tick, so this wait needs no deadline.
      await once(this.#child, "spawn");
    } catch (error) {
      this.#child = null;
      this.state = "closed";
      throw new TransportError(`cannot run the app-server (${describeSystemError(error)})`, { cause: error });
    }
    if (this.ended !== null) {
      await this.ended;
      throw new TransportError("the transport was closed while it opened");
    }
    this.openWire(callbacks);
    this.#options.onChild(this.#child.pid ?? null);
  }

  protected write(stdin: Writable, message: OutgoingMessage): void {
    if (typeof message === "string") {
      stdin.write(`${message}\n`);
      return;
    }
    stdin.cork();
    for (const part of message) stdin.write(part);
    stdin.write("\n");
    stdin.uncork();
  }

  protected async release(gently: boolean): Promise<void> {
    const child = this.#child;
    if (child === null || this.state === "closed") {
      this.state = "closed";
      return;
    }
    const isGone = () => settlesWithin(this.#processDone.promise, this.#options.spec.stopStepMs);
    child.stdin.end();
    if (gently && (await isGone())) return;
    signalProcessTree(child, "SIGTERM");
    if (await isGone()) return;
    signalProcessTree(child, "SIGKILL");
    if (await isGone()) return;
    // Beyond SIGKILL there is only a process stuck in the kernel. Let go of it rather than hang.
    destroyPipes(child);
    child.unref();
  }

  #listen(child: ChildProcessWithoutNullStreams): void {
    child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    child.stderr.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    // Without a listener the EPIPE of a dead child, or a signal that cannot be sent, would be an uncaught exception. `close` says
    // what it means.
    child.stdin.on("error", () => {});
    child.on("error", () => {});
    child.stdout.on("end", () => void this.#expectExit());
    child.once("exit", () => {
      this.#options.onChild(null);
      void this.#releasePipes(child);
    });
    child.once("close", (code, signalName) => {
      const how = signalName === null ? `with code ${code}` : `by ${signalName}`;
      this.endWire(new TransportError(`the app-server process ended ${how}`));
      this.state = "closed";
      this.#processDone.resolve();
    });
  }

  #take(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk, (line) => this.takeMessage(line));
    } catch (error) {
      void this.destroy(error instanceof Error ? error : new TransportError(String(error)));
    }
  }

  /** The process closed its output. Its exit, which should follow, says more; a process that stays is of no use. */
  async #expectExit(): Promise<void> {
    if (await settlesWithin(this.#processDone.promise, this.#options.spec.stopStepMs)) return;
    void this.destroy(new TransportError("the app-server closed its output"));
  }

  /** A grandchild that holds a pipe open must not delay `close`. */
  async #releasePipes(child: ChildProcessWithoutNullStreams): Promise<void> {
    const closed = await settlesWithin(this.#processDone.promise, this.#options.spec.stopStepMs);
    if (!closed) destroyPipes(child);
  }
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
