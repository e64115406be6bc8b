import { fileURLToPath } from "node:url";
import type {
  AccountLimitSettings,
  BackendCounters,
  RateLimitSettings,
} from "../../test/support/offline-backend/index.js";
import type { BackendAnswer, BackendCommand, ReplyPlan, RequestSummary } from "./backend-messages.js";
import { ChildCalls } from "./child-calls.js";
import type { Resources } from "./resources.js";

const startTimeoutMs = 30_000;
const answerTimeoutMs = 20_000;

/** The offline backend in a process of its own. */
export class BackendProcess {
  readonly origin: string;
  /** What a Codex process must have in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #calls: ChildCalls<BackendCommand, BackendAnswer>;

  private constructor(
    calls: ChildCalls<BackendCommand, BackendAnswer>,
    place: Extract<BackendAnswer, { type: "place" }>,
  ) {
    this.#calls = calls;
    this.origin = place.origin;
    this.environment = place.environment;
  }

  static async start(resources: Resources): Promise<BackendProcess> {
    const module = fileURLToPath(new URL("./backend-main.js", import.meta.url));
    const what = "offline backend";
    const calls = await ChildCalls.start<BackendCommand, BackendAnswer>(resources, { what, module });
    const place = await calls.ask({ type: "place" }, startTimeoutMs);
    if (place.type !== "place") throw new Error("the offline backend does not say where it is");
    return new BackendProcess(calls, place);
  }

  async setReply(plan: ReplyPlan): Promise<void> {
    await this.#calls.ask({ type: "reply", plan }, answerTimeoutMs);
  }

  /** For logins made afterwards; those made before stay where they are, unless they were made after an earlier call. */
  async setRoundTrip(roundTripMs: number): Promise<void> {
    await this.#calls.ask({ type: "network", roundTripMs }, answerTimeoutMs);
  }

  async setIdleLimit(idleMs: number): Promise<void> {
    await this.#calls.ask({ type: "idle-limit", idleMs }, answerTimeoutMs);
  }

  async createLogin(home: string): Promise<void> {
    await this.#calls.ask({ type: "login", home }, answerTimeoutMs);
  }

  /** The model requests made while `action` ran; of many the last ones. */
  async recordRequests(action: () => Promise<unknown>): Promise<readonly RequestSummary[]> {
    await this.#calls.ask({ type: "forget" }, answerTimeoutMs);
    await action();
    const answer = await this.#calls.ask({ type: "requests" }, answerTimeoutMs);
    return answer.type === "requests" ? answer.requests : [];
  }

  /** The most streams that were open at once since its start. */
  async readPeakStreams(): Promise<number> {
    const answer = await this.#calls.ask({ type: "streams" }, answerTimeoutMs);
    return answer.type === "streams" ? answer.peakOpen : Number.NaN;
  }

  /** What the account may ask from now on; `windows`: what Codex hears of the plan's windows. */
  async setLimits(limits: AccountLimitSettings, windows?: RateLimitSettings): Promise<void> {
    await this.#calls.ask({ type: "limits", limits, windows }, answerTimeoutMs);
  }

  async readCounters(): Promise<BackendCounters> {
    const answer = await this.#calls.ask({ type: "counters" }, answerTimeoutMs);
    if (answer.type !== "counters") throw new Error("the offline backend does not say what it counted");
    return answer.counters;
  }
}
