/** Follows a request that the service has not answered yet: a stream begins with the first output, a decision is sent whole. */
import { z } from "zod";
import type { CliContext } from "../cli-context.js";
import type { ServiceClient } from "../service-client.js";
import type { AskStage, Progress } from "./progress.js";

const lookEveryMs = 1_000;

/** An entry of the service's request log, as far as it says where a request stands. */
const logEntry = z.looseObject({
  state: z.enum(["waiting", "running", "ended"]),
  timings: z.looseObject({
    turn_started_ms: z.number().nullable(),
    first_output_ms: z.number().nullable(),
  }),
});

/** Asks for the request of that id once a second, until the returned function is called or the service keeps no log of it. */
export function watchRequest(
  client: Pick<ServiceClient, "get">,
  requestId: string,
  { repeat }: Pick<CliContext, "repeat">,
  progress: Progress,
): () => void {
  let state: "idle" | "asking" | "over" = "idle";
  const stopTicking = repeat(lookEveryMs, () => {
    if (state === "idle") void look();
  });
  const stop = () => {
    state = "over";
    stopTicking();
  };
  const look = async () => {
    state = "asking";
    // A progress line is not worth a failure: without an answer it says less.
    const answer = await client.get(`/v1/requests/${requestId}`, lookEveryMs).catch(() => null);
    if (isOver()) return;
    const entry = logEntry.safeParse(answer?.body);
    if (!entry.success && answer !== null) return stop();
    if (entry.success) progress.enter(stageOf(entry.data));
    state = "idle";
  };
  // In a function of its own, since it changes while an answer is awaited.
  const isOver = () => state === "over";
  return stop;
}

function stageOf({ state, timings }: z.output<typeof logEntry>): AskStage {
  if (state === "waiting") return "queued";
  if (timings.first_output_ms !== null) return "working";
  return timings.turn_started_ms === null ? "starting" : "started";
}
