/** Asks the running service, or a Codex started for the purpose. */

import type { JsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import type { CliContext } from "../cli-context.js";
import type { CommandInput } from "../command.js";
import { type LoadedConfig, refuse, refuseFaults } from "../configured.js";
import { exitCodes } from "../exit-codes.js";
import { watchInterruption, withPrivateRuntime } from "../interruption.js";
import { refuseAnswer, refuseError } from "../refuse-answer.js";
import { ServiceClient, serviceAddress } from "../service-client.js";
import { lookForService } from "../service-report.js";
import { refuseSighting } from "../with-service.js";
import { AnswerPrinter } from "./answer-printer.js";
import { readQuestion, readSettings } from "./compose-request.js";
import { runPrivateTurn } from "./private-turn.js";

const lookTimeoutMs = 2_000;

interface Asking {
  readonly context: CliContext;
  readonly loaded: LoadedConfig;
  readonly body: JsonObject;
  readonly signal: AbortSignal;
  readonly printer: AnswerPrinter;
}

export async function ask(context: CliContext, input: CommandInput, loaded: LoadedConfig): Promise<number> {
  const read = readSettings(input, context.machine);
  if (!read.ok) return refuseFaults(context, [read.fault], "the command line");
  const question = await readQuestion(context, input.operands[0], loaded.config.http.maxBodyBytes);
  if (!question.ok) return refuse(context, question.problem);
  const body = { ...read.settings, input: question.text };
  const signal = watchInterruption(context);
  const printer = new AnswerPrinter(context, { wholeOnly: input.flags.has("json-schema") });
  const asking = { context, loaded, body, signal, printer };
  const code = await askSomewhere(asking);
  if (!signal.aborted) return code;
  await printer.endLine();
  return exitCodes.interrupted;
}

async function askSomewhere(asking: Asking): Promise<number> {
  const { context, loaded } = asking;
  const baseUrl = serviceAddress(loaded.config);
  if (baseUrl === null) return askPrivately(asking);
  const client = new ServiceClient(baseUrl, loaded.config.auth.token);
  try {
    const sighting = await lookForService(client, lookTimeoutMs);
    if (sighting.kind === "service") return await askService(asking, client);
    if (sighting.kind === "refused") return refuseSighting(context, sighting, baseUrl, loaded.config);
    if (sighting.kind === "stranger")
      context.stderr.write(
        `codex-native-api: what answers at ${baseUrl} is another program; asking without it\n`,
      );
  } finally {
    await client.destroy();
  }
  return asking.signal.aborted ? exitCodes.interrupted : askPrivately(asking);
}

async function askService(
  { context, body, signal, printer }: Asking,
  client: ServiceClient,
): Promise<number> {
  try {
    const answer = await client.post("/v1/responses", body, signal);
    if (!("events" in answer)) return refuseAnswer(context, answer);
    for await (const event of answer.events) {
      const code = await printer.take(event);
      if (code !== null) return code;
    }
    return await printer.cut("the service ended it early");
  } catch (error) {
    if (printer.isUnread || signal.aborted) return exitCodes.failed;
    return printer.cut(error instanceof Error ? error.message : "the connection failed");
  }
}

async function askPrivately({ context, loaded, body, signal, printer }: Asking): Promise<number> {
  if (context.stderr.isTTY === true)
    context.stderr.write("no service runs; starting Codex for this question\n");
  const { unsupportedParameters } = loaded.config.http;
  const { wallClock } = context;
  let code: number | null = null;
  const onEvent = async (event: JsonObject) => {
    code = (await printer.take(event)) ?? code;
  };
  try {
    const ended = await withPrivateRuntime(context, loaded, signal, async (runtime, readiness) => {
      if (!readiness.ready) return refuseError(context, readiness.error.code, readiness.error.message);
      await runPrivateTurn({ runtime, body, unsupportedParameters, wallClock, signal, onEvent });
      return code ?? exitCodes.failed;
    });
    return ended ?? exitCodes.interrupted;
  } catch (error) {
    if (printer.isUnread) return exitCodes.failed;
    const { code: errorCode, message } = CodexNativeApiError.fromUnknown(error);
    return refuseError(context, errorCode, message);
  }
}
