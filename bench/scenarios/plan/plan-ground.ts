import type { AccountLimitSettings } from "../../../test/support/offline-backend/index.js";
import { NamedCallers } from "../../contestants/named-callers.js";
import { charactersOf, type ReplyPlan } from "../../rig/backend-messages.js";
import type { BackendProcess } from "../../rig/backend-process.js";
import { layGround, startService } from "../../rig/rig.js";
import type { ServiceProcess } from "../../rig/service-process.js";
import type { ScenarioContext } from "../scenario.js";

/** Longer than any wait of these scenarios: what is measured is how long they are. */
export const patienceMs = 1_800_000;

export interface PlanGround {
  readonly backend: BackendProcess;
  readonly service: ServiceProcess;
  readonly callers: NamedCallers;
}

export interface PlanGroundOptions {
  /** How long the backend works on a turn. */
  readonly turnMs: number;
  readonly limits: AccountLimitSettings;
  readonly argv?: readonly string[];
}

/** A service that knows nothing of the account yet, before a backend whose account has limits. */
export async function openPlan(
  { resources }: Pick<ScenarioContext, "resources">,
  { turnMs, limits, argv = [] }: PlanGroundOptions,
): Promise<PlanGround> {
  const ground = await layGround(resources);
  const { backend } = ground;
  const reply = replyIn(turnMs);
  await backend.setReply(reply);
  const patient = ["--queue-timeout-ms", String(patienceMs)];
  const service = await startService(resources, ground, "service", [...patient, ...argv]);
  await backend.setLimits(limits);
  const expectedCharacters = charactersOf(reply);
  const callers = new NamedCallers({ url: service.url, expectedCharacters, deadlineMs: patienceMs });
  await resources.defer("callers", () => callers.close());
  return { backend, service, callers };
}

/** As a model answers: half of the time it thinks, and then it writes. */
function replyIn(turnMs: number): ReplyPlan {
  const deltas = 5;
  return { deltas, charactersPerDelta: 6, firstDelayMs: turnMs / 2, delayMs: turnMs / 2 / (deltas - 1) };
}

/** How the service changed its mind about the account, with the time since `startedAt` of the wall clock. */
export async function readLimitChanges(service: ServiceProcess, startedAt: number) {
  const lines = await service.readLog("upstream_limit.changed");
  return lines.map(({ time, scope, former, limit, reason }) => ({
    afterMs: Date.parse(String(time)) - startedAt,
    scope,
    former,
    limit,
    reason,
  }));
}
