/** Runs one small turn on each listed model (`doctor --turn`). The lines are the start of a report about a model. */
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import { joinSignals } from "../../../workers/contract/wait.js";
import type { Asker } from "../ask/asker.js";
import { refusalOf, refusalOfError } from "../outcome.js";
import { type Finding, fail, ok } from "./finding.js";

const question = "Answer with this one word: ok";
/** A model that needs longer for one word is a finding. */
const turnTimeoutMs = 120_000;

/** One model after the other, so that the times are those of a single caller. */
export async function tryModels(asker: Asker, signal: AbortSignal): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  try {
    for (const model of await asker.listModels()) {
      if (signal.aborted) return findings;
      findings.push(await tryModel(asker, model, signal));
    }
  } catch (error) {
    findings.push(fail("models", describeFault(error), "see the lines above"));
  }
  return findings;
}

async function tryModel(asker: Asker, model: string, signal: AbortSignal): Promise<Finding> {
  const startedAtMs = performance.now();
  let firstWordMs: number | null = null;
  let last: JsonObject = {};
  const take = async (event: JsonObject): Promise<null> => {
    if (event.type === "response.output_text.delta") firstWordMs ??= performance.now() - startedAtMs;
    last = event;
    return null;
  };
  const check = `turn ${model}`;
  const deadline = joinSignals([signal], { timeoutMs: turnTimeoutMs });
  try {
    const body = { model, input: question, store: false, stream: true };
    await asker.ask(body, take, deadline.signal);
  } catch (error) {
    return refused(check, describeFault(error));
  } finally {
    deadline.release();
  }
  const response = isJsonObject(last.response) ? last.response : {};
  if (last.type === "response.completed") return ok(check, describeTurn(firstWordMs, response));
  const { code, message } = isJsonObject(response.error) ? response.error : {};
  return refused(check, refusalOf(String(code ?? last.type), String(message ?? "no message")).message);
}

function describeTurn(firstWordMs: number | null, { usage, native_api: native }: JsonObject): string {
  const first = firstWordMs === null ? "no word" : `first word after ${Math.round(firstWordMs)} ms`;
  const { input_tokens: input, output_tokens: output } = isJsonObject(usage) ? usage : {};
  const form = isJsonObject(native) ? String(native.prompt_form ?? "unknown") : "unknown";
  return `answered in the ${form} form, ${first}, ${Number(input ?? 0)} tokens in and ${Number(output ?? 0)} out`;
}

function refused(check: string, reason: string): Finding {
  return fail(
    check,
    `no answer: ${reason}`,
    "name another model, or report this line with your plan and version",
  );
}

function describeFault(error: unknown): string {
  const isLate = error instanceof Error && error.name === "TimeoutError";
  return isLate ? `no end within ${turnTimeoutMs / 1_000} s` : refusalOfError(error).message;
}
