/** One small real turn for each listed model, where the doctor is asked for it: what a report about a model begins with. */

import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import { runPrivateTurn } from "../ask/private-turn.js";
import type { CliContext } from "../cli-context.js";
import type { LoadedConfig } from "../configured.js";
import { withPrivateRuntime } from "../interruption.js";
import type { ServiceClient } from "../service-client.js";
import { type Finding, fail, ok } from "./finding.js";

/** Who can be asked: the running service, or a Codex started for the purpose. */
interface ModelAsker {
  listModels(): Promise<readonly string[]>;
  /** Tells the events of a Responses stream, in order; rejects where there is none. */
  ask(body: JsonObject, onEvent: (event: JsonObject) => void, signal: AbortSignal): Promise<void>;
}

const question = "Answer with this one word: ok";
/** A model that thinks for longer over one word is worth a line of its own. */
const turnTimeoutMs = 120_000;

/** One after the other, so that the times are those of one caller. */
export async function tryModels(asker: ModelAsker, signal: AbortSignal): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  try {
    for (const model of await asker.listModels()) {
      if (signal.aborted) return findings;
      findings.push(await tryModel(asker, model, signal));
    }
  } catch (error) {
    findings.push(fail("models", describeFault(error), "See the lines above."));
  }
  return findings;
}

async function tryModel(asker: ModelAsker, model: string, signal: AbortSignal): Promise<Finding> {
  const startedAtMs = performance.now();
  let firstWordMs: number | null = null;
  let last: JsonObject = {};
  const onEvent = (event: JsonObject): void => {
    if (event.type === "response.output_text.delta") firstWordMs ??= performance.now() - startedAtMs;
    last = event;
  };
  const check = `turn ${model}`;
  try {
    const body = { model, input: question, store: false, stream: true };
    await asker.ask(body, onEvent, AbortSignal.any([signal, AbortSignal.timeout(turnTimeoutMs)]));
  } catch (error) {
    return refused(check, describeFault(error));
  }
  const response = isJsonObject(last.response) ? last.response : {};
  if (last.type === "response.completed") return ok(check, describeTurn(firstWordMs, response));
  const error = isJsonObject(response.error) ? response.error : {};
  const message = String(error.message ?? "no more was said");
  return refused(check, `${String(error.code ?? last.type)}: ${message}`);
}

function describeTurn(firstWordMs: number | null, { usage, native_api: native }: JsonObject): string {
  const first = firstWordMs === null ? "no word" : `first word after ${Math.round(firstWordMs)} ms`;
  const { input_tokens: input, output_tokens: output } = isJsonObject(usage) ? usage : {};
  const form = isJsonObject(native) ? String(native.prompt_form ?? "unknown") : "unknown";
  return `answered in the ${form} form, ${first}, ${Number(input ?? 0)} tokens in and ${Number(output ?? 0)} out`;
}

function refused(check: string, reason: string): Finding {
  const advice = "Name another model, or report this line with your plan and version.";
  return fail(check, `no answer: ${reason}`, advice);
}

function describeFault(error: unknown): string {
  if (error instanceof CodexNativeApiError) return `${error.code}: ${error.message}`;
  if (!(error instanceof Error)) return String(error);
  return error.name === "TimeoutError" ? `no end within ${turnTimeoutMs / 1_000} s` : error.message;
}

const listTimeoutMs = 10_000;

export function askerOfService(client: ServiceClient): ModelAsker {
  return {
    listModels: async () => {
      const { status, body } = await client.get("/v1/models", listTimeoutMs);
      if (status !== 200 || !Array.isArray(body?.data)) throw refusalOf(status, body);
      return body.data.flatMap((model) => (isJsonObject(model) ? [String(model.id)] : []));
    },
    ask: async (body, onEvent, signal) => {
      const answer = await client.post("/v1/responses", body, signal);
      if (!("events" in answer)) throw refusalOf(answer.status, answer.body);
      for await (const event of answer.events) onEvent(event);
    },
  };
}

/** A Codex of the doctor's own. Null when interrupted before it had started. */
export async function withPrivateAsker<T>(
  context: CliContext,
  loaded: LoadedConfig,
  signal: AbortSignal,
  use: (asker: ModelAsker) => Promise<T>,
): Promise<T | null> {
  const { unsupportedParameters } = loaded.config.http;
  const { wallClock } = context;
  return withPrivateRuntime(context, loaded, signal, (runtime) =>
    use({
      listModels: async () => (await runtime.listModels()).map(({ id }) => id),
      ask: (body, onEvent, turnSignal) =>
        runPrivateTurn({
          ...{ runtime, body, unsupportedParameters, wallClock, signal: turnSignal },
          onEvent: async (event) => onEvent(event),
        }),
    }),
  );
}

function refusalOf(status: number, body: unknown): Error {
  const error = isJsonObject(body) && isJsonObject(body.error) ? body.error : {};
  return new Error(
    `${String(error.code ?? `HTTP ${status}`)}: ${String(error.message ?? "no more was said")}`,
  );
}
