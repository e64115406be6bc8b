/** What is tried: it outlives a look at another view, and ends when the page is locked. */
import { type Api, ApiError } from "../../data/api.js";
import { type Answer, noAnswer } from "./answer.js";
import { sendTurn } from "./send-turn.js";
import { checkForm, type Faults, type TryForm } from "./try-form.js";
import { type CallOutput, makeRequest, messagesOf, type Past, type SentRequest } from "./try-request.js";

export interface Run {
  readonly sent: SentRequest;
  readonly state: "running" | "ended" | "stopped" | "failed";
  readonly answer: Answer;
  readonly requestId: string | null;
  readonly startedMs: number;
  /** From the start. */
  readonly firstWordMs: number | null;
  readonly totalMs: number | null;
  readonly fault: { readonly code: string; readonly message: string; readonly param: string | null } | null;
}

export interface TryState {
  readonly form: TryForm;
  readonly faults: Faults;
  readonly run: Run | null;
  /** What a further request can go on from. */
  readonly past: Past | null;
  /** The next one does. */
  readonly isGoingOn: boolean;
}

interface Before {
  /** With what was said just now. */
  readonly messages: readonly unknown[];
  readonly past: Past | null;
}

export class TrySession {
  #state: TryState;
  readonly #initial: TryState;
  readonly #listeners = new Set<() => void>();
  #abort: AbortController | null = null;
  #frame = 0;

  constructor(form: TryForm) {
    this.#initial = { form, faults: {}, run: null, past: null, isGoingOn: false };
    this.#state = this.#initial;
  }

  get = (): TryState => this.#state;

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  change(change: Partial<TryForm>): void {
    this.#set({ form: { ...this.#state.form, ...change }, faults: {} });
  }

  goOn(isGoingOn: boolean): void {
    this.#set({ isGoingOn });
  }

  /** Forgets all that was said. */
  clear(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#set(this.#initial);
  }

  stop(): void {
    this.#abort?.abort();
  }

  send(api: Api): void {
    const { form, past, isGoingOn } = this.#state;
    this.#start(api, isGoingOn && past?.dialect === form.dialect ? past : null, form.input);
  }

  /** Gives what the model's calls are to return. */
  answerCalls(api: Api, outputs: readonly CallOutput[]): void {
    const { run, past } = this.#state;
    if (run === null || past === null) return;
    this.#start(api, past, outputs);
  }

  #start(api: Api, past: Past | null, said: string | readonly CallOutput[]): void {
    const { form } = this.#state;
    const dialect = past?.dialect ?? form.dialect;
    const used = { ...form, dialect };
    const checked = checkForm(typeof said === "string" ? used : { ...used, input: "-" });
    if ("faults" in checked) return this.#set({ faults: checked.faults });
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const sent = makeRequest(used, checked.values, past, said);
    const startedMs = performance.now();
    const run: Run = {
      sent,
      state: "running",
      answer: noAnswer,
      requestId: null,
      startedMs,
      firstWordMs: null,
      totalMs: null,
      fault: null,
    };
    this.#set({ run, faults: {}, past: null });
    const messages = dialect === "chat" ? messagesOf(used, past, said) : [];
    void this.#follow(api, abort, { messages, past });
  }

  async #follow(api: Api, abort: AbortController, { messages, past }: Before): Promise<void> {
    const { signal } = abort;
    const run = this.#state.run;
    if (run === null) return;
    const since = () => performance.now() - run.startedMs;
    const note = (change: Partial<Run>) => {
      // Another one may have been started meanwhile.
      if (this.#abort === abort) this.#noteRun(change);
    };
    try {
      await sendTurn(api, run.sent, {
        signal,
        onHead: (requestId) => note({ requestId }),
        onAnswer: (answer) => {
          const isFirst = this.#state.run?.firstWordMs === null && hasWords(answer);
          note({ answer, ...(isFirst && { firstWordMs: since() }) });
        },
      });
      note({ totalMs: since(), state: this.#state.run?.answer.error == null ? "ended" : "failed" });
      if (this.#abort === abort) this.#set({ past: this.#pastOf(messages) });
    } catch (error) {
      note({ totalMs: since(), ...(signal.aborted ? { state: "stopped" } : failed(error)) });
      // What was said before it stands.
      if (this.#abort === abort) this.#set({ past });
    } finally {
      if (this.#abort === abort) this.#abort = null;
    }
  }

  #pastOf(messages: readonly unknown[]): Past | null {
    const { run } = this.#state;
    if (run === null || run.state !== "ended") return null;
    const { answer, sent } = run;
    if (sent.dialect === "responses") {
      return answer.responseId === null ? null : { dialect: "responses", responseId: answer.responseId };
    }
    if (sent.dialect === "decisions") return null;
    const calls = answer.calls.map(({ callId, name, arguments: written }) => ({
      id: callId,
      type: "function",
      function: { name, arguments: written },
    }));
    const said = {
      role: "assistant",
      content: answer.text === "" && calls.length > 0 ? null : answer.text,
      ...(calls.length > 0 && { tool_calls: calls }),
    };
    return { dialect: "chat", messages: [...messages, said] };
  }

  #noteRun(change: Partial<Run>): void {
    const { run } = this.#state;
    if (run === null) return;
    this.#state = { ...this.#state, run: { ...run, ...change } };
    // Words come faster than a screen shows them.
    if (change.state === undefined && !document.hidden) {
      if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#tell());
    } else {
      this.#tell();
    }
  }

  #set(change: Partial<TryState>): void {
    this.#state = { ...this.#state, ...change };
    this.#tell();
  }

  #tell(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    for (const listener of [...this.#listeners]) listener();
  }
}

function hasWords({ text, reasoning, calls, decisions }: Answer): boolean {
  return text !== "" || reasoning !== "" || calls.length > 0 || decisions !== null;
}

function failed(error: unknown): Partial<Run> {
  if (!(error instanceof ApiError)) {
    return { state: "failed", fault: { code: "stream_broken", message: "", param: null } };
  }
  const { code, message, param, requestId } = error;
  return {
    state: "failed",
    fault: { code, message, param },
    ...(requestId !== null && { requestId }),
  };
}
