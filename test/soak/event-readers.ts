/** Readers of `GET /v1/events`, and what they cost a service that plays a day to them. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { SourceInput, SourceOutput } from "./event-source.js";

export interface ReadersPlan {
  /** Changes of the state of a day: at most one a second. */
  readonly changes: number;
  /** Requests of a day. */
  readonly requests: number;
  /** Numbers of readers, one after another. */
  readonly readers: readonly number[];
}

/** What a number of readers cost. */
export interface ReadersRow {
  readonly readers: number;
  readonly perStateMs: number;
  /** Of its eight events, beyond what the request log takes without a reader. */
  readonly perRequestMs: number;
  /** Of a day of 86,400 changes and 50,000 requests. */
  readonly dayCpuMs: number;
  readonly dayShare: number;
  readonly grownBytes: number;
  /** Events that all readers got. */
  readonly received: number;
}

export interface ReadersReport {
  readonly rows: readonly ReadersRow[];
  readonly faults: readonly string[];
}

const day = { changes: 86_400, requests: 50_000, ms: 86_400_000 } as const;
/** Of one core, on the service's side. */
const mostOfACore = 0.01;
const mostGrownBytes = 8 * 1024 * 1024;

export async function measureReaders({
  changes,
  requests,
  readers: numbers,
}: ReadersPlan): Promise<ReadersReport> {
  const source = fork(new URL("./event-source.js", import.meta.url), { execArgv: ["--expose-gc"] });
  try {
    const { url } = await hear(source, "url");
    // Warms up, and says what requests cost without a reader.
    await play(source, { play: "requests", count: requests });
    const alone = await play(source, { play: "requests", count: requests });
    const rows: ReadersRow[] = [];
    const faults: string[] = [];
    for (const number of numbers) {
      const readers = await Promise.all(Array.from({ length: number }, () => EventCounter.open(url)));
      const before = await play(source, { play: "states", count: Math.ceil(changes / 20) });
      const states = await play(source, { play: "states", count: changes });
      const played = await play(source, { play: "requests", count: requests });
      const expected = before.events + states.events + played.events;
      await Promise.all(readers.map((reader) => reader.untilCounted(expected)));
      for (const reader of readers)
        if (reader.dropped > 0) faults.push(`a reader missed ${reader.dropped} events`);
      for (const reader of readers) reader.close();
      const perStateMs = states.cpuMs / changes;
      const perRequestMs = Math.max(0, played.cpuMs - alone.cpuMs) / requests;
      const dayCpuMs = perStateMs * day.changes + perRequestMs * day.requests;
      const dayShare = dayCpuMs / day.ms;
      const grownBytes = played.heapBytes - before.heapBytes;
      if (number === 1 && dayShare >= mostOfACore) faults.push(`a page takes ${dayShare} of a core`);
      if (grownBytes > mostGrownBytes) faults.push(`${number} readers left ${grownBytes} bytes`);
      const received = readers.reduce((sum, reader) => sum + reader.count, 0);
      rows.push({ readers: number, perStateMs, perRequestMs, dayCpuMs, dayShare, grownBytes, received });
    }
    return { rows, faults };
  } finally {
    source.kill();
    if (source.exitCode === null && source.signalCode === null) await once(source, "exit");
  }
}

type Played = Extract<SourceOutput, { readonly cpuMs: number }>;

async function play(source: ChildProcess, input: SourceInput): Promise<Played> {
  const answer = hear(source, "cpuMs");
  source.send(input);
  return answer;
}

/** The next message, which has this key. */
async function hear<K extends "url" | "cpuMs">(
  source: ChildProcess,
  key: K,
): Promise<Extract<SourceOutput, Readonly<Record<K, unknown>>>> {
  const [message]: [SourceOutput] | [null] = await Promise.race([
    once(source, "message").then(([output]): [SourceOutput] => [output]),
    once(source, "exit").then((): [null] => [null]),
  ]);
  if (message === null || !isOutput(message, key)) throw new Error(`the source did not say its ${key}`);
  return message;
}

function isOutput<K extends string>(
  message: SourceOutput,
  key: K,
): message is Extract<SourceOutput, Readonly<Record<K, unknown>>> {
  return key in message;
}

/** Counts events by their ends, without keeping any. */
class EventCounter {
  count = 0;
  dropped = 0;
  readonly #response: IncomingMessage;
  #wanted: { readonly count: number; readonly done: () => void } | null = null;

  static async open(url: string): Promise<EventCounter> {
    const request = get(`${url}/v1/events`, { headers: { authorization: "Bearer the-default-token" } });
    const [response]: [IncomingMessage] = await new Promise((resolve, reject) => {
      request.once("error", reject).once("response", (answer) => resolve([answer]));
    });
    if (response.statusCode !== 200) throw new Error(`the service answered ${response.statusCode}`);
    return new EventCounter(response);
  }

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding("latin1");
    let rest = "";
    response.on("data", (chunk: string) => {
      const text = rest + chunk;
      const end = text.lastIndexOf("\n\n");
      rest = end < 0 ? text : text.slice(end + 2);
      if (end < 0) return;
      for (const block of text.slice(0, end).split("\n\n")) this.#take(block);
      if (this.#wanted !== null && this.count + this.dropped >= this.#wanted.count) this.#wanted.done();
    });
    response.on("error", () => {});
  }

  async untilCounted(count: number): Promise<void> {
    if (this.count + this.dropped >= count) return;
    await new Promise<void>((resolve) => {
      this.#wanted = { count, done: resolve };
    });
  }

  close(): void {
    this.#response.destroy();
  }

  #take(block: string): void {
    if (block.startsWith(":")) return;
    const dropped = /^event: events\.dropped\ndata: \{"count":(\d+)\}/.exec(block);
    if (dropped !== null) this.dropped += Number(dropped[1]);
    else this.count += 1;
  }
}
