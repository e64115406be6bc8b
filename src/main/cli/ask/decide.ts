/** Answers one question about a text, and prints the answer with its probabilities. */
import type { DecisionAnswer, DecisionQuestion } from "../../dialects/decisions/decision-types.js";
import { parseDecision } from "../../dialects/decisions/decode.js";
import { nameWithEffort } from "../../dialects/decisions/name-model.js";
import { readDecisionBody } from "../../dialects/decisions/read-decision.js";
import type { CliContext } from "../cli-context.js";
import { type CommandInput, type LoadedConfig, textOf } from "../command.js";
import { exitCodes } from "../exit-codes.js";
import { watchInterruption } from "../interruption.js";
import { CommandRefusal, print, printJson, refusalOfFlag } from "../outcome.js";
import { showSafely } from "../terminal.js";
import { readText } from "./compose-request.js";
import { showProgress } from "./progress.js";
import { reachCodex } from "./reach-codex.js";

export async function decide(
  context: CliContext,
  input: CommandInput,
  loaded: LoadedConfig,
): Promise<number> {
  const question = readDecisionQuestion(input);
  const text = await readText(context, input.operands[0], {
    maxBytes: loaded.config.http.maxBodyBytes,
    noun: "text",
    example: 'decide "I was charged twice." --choice billing,support',
  });
  const model = nameWithEffort(textOf(input, "model") ?? undefined, textOf(input, "effort") ?? undefined);
  const body = { input: text, questions: [question], ...(model !== undefined && { model }) };
  // What is wrong with it is said before anything is started.
  const { asked } = parseDecision(body);
  const signal = watchInterruption(context);
  const isQuiet = input.flags.has("quiet") || input.flags.has("json");
  try {
    const decision = await showProgress(context, { isQuiet, signal }, (shown, progress) =>
      reachCodex({ context: shown, loaded, signal, progress }, (asker) => asker.decide(body, signal)),
    );
    const [answer] = readDecisionBody(decision, asked)?.answers ?? [];
    if (decision !== null && !signal.aborted) {
      if (answer === undefined)
        throw new CommandRefusal("the service's answer is no decision", exitCodes.failed);
      if (input.flags.has("json")) printJson(context, decision);
      else print(context, showOn(context, describeAnswer(answer)));
      if (answer.type === "refusal")
        throw new CommandRefusal("the model refused to answer", exitCodes.failed);
      return exitCodes.done;
    }
  } catch (error) {
    // After Ctrl-C the reason is of no use.
    if (!signal.aborted) throw error;
  }
  return exitCodes.interrupted;
}

/** A pipe gets the text unchanged. */
function showOn({ stdout }: CliContext, text: string): string {
  return stdout.isTTY === true ? showSafely(text) : text;
}

const kinds = ["predicate", "choice", "score"] as const;

/** Throws a `CommandRefusal` unless there is exactly one. */
function readDecisionQuestion(input: CommandInput): DecisionQuestion {
  const [kind, ...others] = kinds.filter((name) => input.flags.has(name));
  if (kind === undefined || others.length > 0)
    throw new CommandRefusal("give one of --predicate, --choice and --score");
  const given = textOf(input, kind) ?? "";
  const name = textOf(input, "name");
  const question = textOf(input, "question");
  if (kind === "predicate") {
    if (question !== null)
      throw refusalOfFlag("question", "goes with --choice or --score; a predicate is its own question");
    if (given.trim() === "") throw refusalOfFlag("predicate", "takes a statement about the text");
    return { type: "predicate", name, instructions: given };
  }
  if (kind === "choice") {
    const choices = readList(kind, given, 255).map((value) => ({ value }));
    return { type: "choice", name, instructions: question ?? "Which of these fits the input best?", choices };
  }
  const levels = readList(kind, given, 10).map((label) => ({ label }));
  const instructions = question ?? "Where between these levels is the input?";
  return { type: "score", name, instructions, levels };
}

function readList(flag: string, given: string, most: number): readonly string[] {
  const values = given.split(",").map((value) => value.trim());
  const isGood = values.length >= 2 && values.length <= most && values.every((value) => value !== "");
  if (isGood && new Set(values).size === values.length) return values;
  throw refusalOfFlag(flag, `takes 2 to ${most} different values, separated by commas`);
}

/** The answer alone on the first line, and how likely it and the others are behind it. */
function describeAnswer(answer: DecisionAnswer): string {
  switch (answer.type) {
    case "refusal":
      return "";
    case "predicate":
      return `${round(answer.probability)}\n`;
    case "choice": {
      const lines = answer.probabilities.toSorted((one, other) => other.probability - one.probability);
      return describe(String(answer.choice), lines, answer.confidence);
    }
    case "score": {
      const lines = answer.probabilities.map(({ label, probability }) => ({ value: label, probability }));
      return describe(round(answer.score), lines, answer.confidence);
    }
  }
}

function describe(
  answer: string,
  lines: readonly { readonly value: string | boolean; readonly probability: number }[],
  confidence: number,
): string {
  const shown = lines.map(({ value, probability }) => `  ${round(probability)}  ${value}\n`);
  return `${answer}\n${shown.join("")}  ${round(confidence)}  (confidence)\n`;
}

function round(value: number): string {
  return value.toFixed(2);
}
