/** The two that the doctor can ask for a turn. */
import { isJsonObject } from "../../../workers/contract/json.js";
import { runPrivateTurn } from "../ask/private-turn.js";
import type { CliContext } from "../cli-context.js";
import type { LoadedConfig } from "../configured.js";
import { orInterrupted } from "../interruption.js";
import { createPrivateLogger } from "../private-logger.js";
import type { ServiceClient } from "../service-client.js";
import type { ModelAsker } from "./try-models.js";

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

/** Starts what `serve` would start for as long as `use` takes. Null when interrupted before. */
export async function withPrivateAsker<T>(
  context: CliContext,
  loaded: LoadedConfig,
  signal: AbortSignal,
  use: (asker: ModelAsker) => Promise<T>,
): Promise<T | null> {
  const runtime = await context.createRuntime(loaded.config, createPrivateLogger(context, loaded));
  const { unsupportedParameters } = loaded.config.http;
  const { wallClock } = context;
  try {
    if ((await orInterrupted(runtime.start(), signal)) === "interrupted") return null;
    return await use({
      listModels: async () => (await runtime.listModels()).map(({ id }) => id),
      ask: (body, onEvent, turnSignal) =>
        runPrivateTurn({
          ...{ runtime, body, unsupportedParameters, wallClock, signal: turnSignal },
          onEvent: async (event) => onEvent(event),
        }),
    });
  } finally {
    await runtime.destroy();
  }
}

function refusalOf(status: number, body: unknown): Error {
  const error = isJsonObject(body) && isJsonObject(body.error) ? body.error : {};
  return new Error(
    `${String(error.code ?? `HTTP ${status}`)}: ${String(error.message ?? "no more was said")}`,
  );
}
