/** One line of a terminal that says how long a question has taken and where it stands, until its answer begins. */
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import type { TurnEvent } from "../../runtime/types.js";
import type { CliContext, TextOutput } from "../cli-context.js";
import { cellsOf, firstCells, lastCells, showOnOneLine } from "../terminal.js";

const stageTexts = {
  waiting: "waiting",
  launching: "starting Codex",
  queued: "waiting in the queue",
  starting: "starting",
  started: "waiting for the model",
  reasoning: "reasoning",
  /** There is output, of a kind that is not known yet. */
  working: "the model is at work",
  answering: "answering",
} as const;

/** Where a question stands. */
export type AskStage = keyof typeof stageTexts;

/** Follows a question for the person who waits for its answer. */
export interface Progress {
  /** Whether anyone sees it; what only this line needs is not worth asking for otherwise. */
  readonly isShown: boolean;
  enter(stage: AskStage): void;
  /** Takes the next words of the summary of the model's reasoning. */
  addReasoning(words: string): void;
}

/** For those that nobody follows. */
export const noProgress: Progress = { isShown: false, enter: () => {}, addReasoning: () => {} };

interface ProgressOptions {
  readonly isQuiet: boolean;
  /** Removes the line when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * Calls `run` with a progress line on standard error, where that is a terminal that can rewrite a line. `run` must write through the
 * context it is given: a message on standard error first removes the line, and the first output ends it.
 */
export async function showProgress<T>(
  context: CliContext,
  { isQuiet, signal }: ProgressOptions,
  run: (context: CliContext, progress: Progress) => Promise<T>,
): Promise<T> {
  const { stderr, stdout, env } = context;
  if (isQuiet || stderr.isTTY !== true || env.TERM === "dumb") return run(context, noProgress);
  const line = new ProgressLine(context);
  const end = () => line.end();
  const shown = {
    ...context,
    stderr: beforeWrites(stderr, () => line.clear()),
    stdout: beforeWrites(stdout, end),
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    return await run(shown, line);
  } finally {
    signal.removeEventListener("abort", end);
    line.end();
  }
}

function beforeWrites(output: TextOutput, act: () => void): TextOutput {
  return {
    isTTY: output.isTTY === true,
    write: (text, written) => {
      act();
      return output.write(text, written);
    },
  };
}

const tickMs = 200;
/** Kept of a summary; more than fits on a line. */
const maxReasoningChars = 1_000;
/** For a terminal that does not say how wide it is. */
const usualColumns = 80;
/** With less room than this, a few words of a summary would say nothing. */
const leastReasoningCells = 12;

/** Draws only at ticks, so that a quick answer shows no line, and a fast summary costs no more than a slow one. */
class ProgressLine implements Progress {
  readonly isShown = true;
  readonly #context: Pick<CliContext, "stderr" | "monotonicClock">;
  readonly #isColoured: boolean;
  readonly #startedAtMs: number;
  readonly #stopTicking: () => void;
  #stage: AskStage = "waiting";
  #reasoning = "";
  /** What stands on the terminal; empty for no line. */
  #drawn = "";

  constructor(context: CliContext) {
    this.#context = context;
    this.#isColoured = !context.env.NO_COLOR;
    this.#startedAtMs = context.monotonicClock();
    this.#stopTicking = context.repeat(tickMs, () => this.#draw());
  }

  enter(stage: AskStage): void {
    if (stage !== this.#stage) this.#reasoning = "";
    this.#stage = stage;
  }

  addReasoning(words: string): void {
    this.enter("reasoning");
    this.#reasoning = (this.#reasoning + words).slice(-maxReasoningChars);
  }

  /** Removes the line until the next tick. */
  clear(): void {
    if (this.#drawn === "") return;
    this.#drawn = "";
    this.#context.stderr.write("\r\u001b[K");
  }

  end(): void {
    this.#stopTicking();
    this.clear();
  }

  #draw(): void {
    const { stderr } = this.#context;
    // A line that fills the last column would be wrapped, and what is wrapped cannot be removed.
    const text = this.#render((stderr.columns || usualColumns) - 1);
    if (text === this.#drawn) return;
    this.#drawn = text;
    stderr.write(this.#isColoured ? `\r\u001b[2m${text}\u001b[0m\u001b[K` : `\r${text}\u001b[K`);
  }

  #render(columns: number): string {
    const elapsedMs = this.#context.monotonicClock() - this.#startedAtMs;
    const head = `${describeSeconds(Math.floor(elapsedMs / 1_000))} · ${stageTexts[this.#stage]}`;
    const room = columns - cellsOf(head) - 2;
    // Summaries have bold titles.
    const words = showOnOneLine(this.#reasoning.replaceAll("**", " ")).trim();
    if (words === "" || room < leastReasoningCells) return firstCells(head, columns);
    return `${head}: ${lastCells(words, room)}`;
  }
}

function describeSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Reads an event of the Responses API. */
export function followResponse(progress: Progress, event: JsonObject): void {
  switch (event.type) {
    case "response.created":
      progress.enter("started");
      break;
    case "response.output_item.added":
      enterItem(progress, isJsonObject(event.item) ? event.item.type : null);
      break;
    case "response.reasoning_summary_part.added":
      progress.addReasoning(" ");
      break;
    case "response.reasoning_summary_text.delta":
      if (typeof event.delta === "string") progress.addReasoning(event.delta);
      break;
  }
}

/** Reads an event of a turn on a runtime of this process. */
export function followTurn(progress: Progress, event: TurnEvent): void {
  if (event.type === "item.started") enterItem(progress, event.itemType);
  else if (event.type === "reasoning_summary.part") progress.addReasoning(" ");
  else if (event.type === "reasoning_summary.delta") progress.addReasoning(event.delta);
}

function enterItem(progress: Progress, itemType: unknown): void {
  if (itemType === "reasoning") progress.enter("reasoning");
  else if (itemType === "message") progress.enter("answering");
}
