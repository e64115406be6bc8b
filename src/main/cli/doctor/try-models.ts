/** One small real turn for each listed model, where the doctor is asked for it: what a report about a model begins with. */
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import { type Finding, fail, ok } from "./finding.js";

/** Who can be asked: the running service, or a Codex started for the purpose. */
export interface ModelAsker {
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
