/** Asks a question, and prints the answer as it comes. */
import type { JsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import type { CliContext } from "../cli-context.js";
import type { CommandInput, LoadedConfig } from "../command.js";
import { exitCodes } from "../exit-codes.js";
import { watchInterruption } from "../interruption.js";
import { CommandRefusal } from "../outcome.js";
import { AnswerPrinter } from "./answer-printer.js";
import type { Asker } from "./asker.js";
import { readSettings, readText } from "./compose-request.js";
import { showProgress } from "./progress.js";
import { reachCodex } from "./reach-codex.js";

interface Asking {
  readonly body: JsonObject;
  readonly signal: AbortSignal;
  readonly printer: AnswerPrinter;
}

export async function ask(context: CliContext, input: CommandInput, loaded: LoadedConfig): Promise<number> {
  const settings = readSettings(input, context.machine);
  const question = await readText(context, input.operands[0], {
    maxBytes: loaded.config.http.maxBodyBytes,
    noun: "question",
    example: 'ask "What is 1 + 1?"',
  });
  const body = { ...settings, input: question };
  const signal = watchInterruption(context);
  return showProgress(context, { isQuiet: input.flags.has("quiet"), signal }, async (shown, progress) => {
    const printer = new AnswerPrinter(shown, { wholeOnly: input.flags.has("json-schema") });
    const asking = { body, signal, printer };
    try {
      const reaching = { context: shown, loaded, signal, progress };
      const code = await reachCodex(reaching, (asker) => askWith(asker, asking));
      if (!signal.aborted) return code ?? exitCodes.failed;
    } catch (error) {
      // Without a reader, or after Ctrl-C, the reason is of no use.
      if (printer.isUnread) return exitCodes.failed;
      if (!signal.aborted) throw error;
    }
    await printer.endLine();
    return exitCodes.interrupted;
  });
}

async function askWith(asker: Asker, { body, signal, printer }: Asking): Promise<number> {
  try {
    const code = await asker.ask(body, (event) => printer.take(event), signal);
    return code ?? (signal.aborted ? exitCodes.failed : await printer.cut("its stream ended early"));
  } catch (error) {
    const isKnown = error instanceof CommandRefusal || error instanceof CodexNativeApiError;
    if (isKnown || printer.isUnread || signal.aborted) throw error;
    return printer.cut(error instanceof Error ? error.message : "the connection failed");
  }
}
