/**
 * Keeps the store up to date: follows the service's events, and asks for the same by polling where they do not come. A page that stays
 * hidden lets go of its stream, of which the service and the browser have only so many, and catches up when it is seen again.
 */
import {
  droppedSchema,
  entryPageSchema,
  entrySchema,
  healthSchema,
  type ServiceState,
  serviceStateSchema,
  stateOfHealth,
} from "../wire.js";
import { type Api, ApiError } from "./api.js";
import { EntryRing, maxEntries } from "./entry-ring.js";
import { type ServerSentEvent, SseParser } from "./sse-parser.js";
import { emptyPage, type PageState, type Store } from "./store.js";
import { callLater, startDeadline, wait } from "./timers.js";

/** The service sends a comment every 15 s. */
const silenceMs = 40_000;
const hiddenMs = 60_000;
const firstPauseMs = 1_000;
/** Of two clocks: what lies between is the way from the service to here. */
const agreeWithinMs = 5_000;
const longestPauseMs = 10_000;

export class LiveFeed {
  readonly #api: Api;
  readonly #store: Store<PageState>;
  readonly #ring = new EntryRing();
  #run: AbortController | null = null;
  #cancelSleep = (): void => {};

  constructor(api: Api, store: Store<PageState>) {
    this.#api = api;
    this.#store = store;
    document.addEventListener("visibilitychange", () => this.#noteVisibility());
  }

  /** Begins from nothing, with the token that the page has now. */
  start(): void {
    this.stop();
    this.#ring.clear();
    this.#store.set({
      connection: "connecting",
      service: null,
      entries: [],
      areEntriesLoaded: false,
      hasToken: this.#api.hasToken,
    });
    this.#begin();
  }

  /** The service does not take what the page has: nothing is asked until there is another token. */
  refuse(): void {
    this.stop();
    this.#ring.clear();
    const { hasToken } = this.#api;
    this.#api.useToken(null);
    const { refusal } = this.#store.get();
    this.#store.set({
      ...emptyPage,
      connection: "refused",
      refusal: hasToken ? "token" : refusal,
    });
  }

  stop(): void {
    this.#run?.abort();
    this.#run = null;
  }

  #begin(): void {
    const run = new AbortController();
    this.#run = run;
    void this.#keepFollowing(run.signal);
  }

  #noteVisibility(): void {
    this.#cancelSleep();
    if (document.hidden) {
      this.#cancelSleep = callLater(hiddenMs, () => {
        if (this.#run === null) return;
        this.stop();
        this.#store.set({ connection: "asleep" });
      });
    } else if (this.#store.get().connection === "asleep") {
      this.#store.set({ connection: "connecting" });
      this.#begin();
    }
  }

  async #keepFollowing(signal: AbortSignal): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      const startedMs = performance.now();
      const wasRefused = await this.#follow(signal).then(() => false, isRefusal);
      if (signal.aborted) return;
      if (wasRefused || (await this.#poll(signal).catch(isRefusal)) === true) {
        this.refuse();
        return;
      }
      // A stream that held for a while was a good one, so the next is tried soon.
      if (performance.now() - startedMs > silenceMs) pauseMs = firstPauseMs;
      await wait(pauseMs * (0.75 + Math.random() / 2), signal);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }

  /** Until the stream breaks. */
  async #follow(signal: AbortSignal): Promise<void> {
    const silence = startDeadline(silenceMs);
    try {
      const either = AbortSignal.any([signal, silence.signal]);
      const answer = await this.#api.fetch("/v1/events", {
        headers: { accept: "text/event-stream" },
        signal: either,
      });
      if (answer.body === null) return;
      this.#store.set({ connection: "live", hasToken: this.#api.hasToken, refusal: null });
      // Listed after the stream has begun, so that nothing falls between the two.
      const listing = this.#list(either).catch(ignoreUntilNextTime);
      const parser = new SseParser();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        silence.extend();
        for (const event of parser.push(read.value)) this.#take(event, either);
      }
      await listing;
    } finally {
      silence.clear();
    }
  }

  #take({ event, data }: ServerSentEvent, signal: AbortSignal): void {
    const body = parseJson(data);
    if (event === "state") {
      const state = serviceStateSchema.safeParse(body);
      if (state.success) this.#takeState(state.data);
      else this.#store.set({ isOutdated: true });
    } else if (event.startsWith("request.")) {
      const entry = entrySchema.safeParse(body);
      if (!entry.success) this.#store.set({ isOutdated: true });
      else if (this.#ring.put(entry.data)) this.#store.set({ entries: this.#ring.list() });
    } else if (event === "events.dropped" && droppedSchema.safeParse(body).success) {
      void this.#list(signal).catch(ignoreUntilNextTime);
    }
  }

  #takeState(service: ServiceState): void {
    const offsetMs = service.at_ms - Date.now();
    this.#store.set({ service, clockOffsetMs: Math.abs(offsetMs) > agreeWithinMs ? offsetMs : 0 });
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { data } = await this.#api.read(`/v1/requests?limit=${maxEntries}`, entryPageSchema, { signal });
    if (signal.aborted) return;
    this.#ring.fill(data);
    this.#store.set({ entries: this.#ring.list(), areEntriesLoaded: true });
  }

  /** Asks once for what events would have said. */
  async #poll(signal: AbortSignal): Promise<void> {
    try {
      const health = await this.#readHealth(signal);
      await this.#list(signal);
      if (!signal.aborted) this.#store.set({ connection: "polling", service: health, refusal: null });
    } catch (error) {
      if (isRefusal(error)) throw error;
      const isOutdated = error instanceof ApiError && error.code === "unreadable_answer";
      if (!signal.aborted) this.#store.set({ connection: "lost", ...(isOutdated && { isOutdated }) });
    }
  }

  /** Health that says "not ready" comes with a status of 503. */
  async #readHealth(signal: AbortSignal) {
    const health = await this.#api.read("/v1/health", healthSchema, { signal, isReadAtAnyStatus: true });
    return stateOfHealth(health, Date.now());
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** The stream's next start lists again. */
function ignoreUntilNextTime(): void {}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
