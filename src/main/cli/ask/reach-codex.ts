/** Finds whom to ask: the running service, or a Codex started for this command. */
import type { CliContext } from "../cli-context.js";
import type { LoadedConfig } from "../command.js";
import { withPrivateRuntime } from "../interruption.js";
import { note, refusalOf } from "../outcome.js";
import { visitService } from "../service-report.js";
import { refusalOfSighting } from "../with-service.js";
import { type Asker, askerOfRuntime, askerOfService } from "./asker.js";
import type { Progress } from "./progress.js";

const lookTimeoutMs = 2_000;

interface Reaching {
  readonly context: CliContext;
  readonly loaded: LoadedConfig;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Null when the signal aborts before there is anyone to ask. */
export async function reachCodex<T>(
  reaching: Reaching,
  use: (asker: Asker) => Promise<T>,
): Promise<T | null> {
  const served = await tryService(reaching, use);
  return served ?? (reaching.signal.aborted ? null : askPrivately(reaching, use));
}

/** Null where no service runs. */
function tryService<T>(
  { context, loaded, progress }: Reaching,
  use: (asker: Asker) => Promise<T>,
): Promise<T | null> {
  return visitService(loaded.config, lookTimeoutMs, (sighting) => {
    if (sighting.kind === "service") return use(askerOfService(sighting, { context, progress }));
    if (sighting.kind === "refused") throw refusalOfSighting(sighting, loaded.config);
    if (sighting.kind === "stranger")
      note(context, `another program answers at ${sighting.baseUrl}; asking without the service`);
    return null;
  });
}

function askPrivately<T>(
  { context, loaded, signal, progress }: Reaching,
  use: (asker: Asker) => Promise<T>,
): Promise<T | null> {
  progress.enter("launching");
  if (context.stderr.isTTY === true)
    context.stderr.write("no service runs; starting Codex for this question\n");
  return withPrivateRuntime(context, loaded, signal, async (runtime, readiness) => {
    if (!readiness.ready) throw refusalOf(readiness.error.code, readiness.error.message);
    progress.enter("waiting");
    return use(askerOfRuntime(runtime, loaded, { context, progress }));
  });
}
