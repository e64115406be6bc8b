import type { AccountLimits } from "./account-limits.js";
import type { BackendCounters } from "./counters.js";
import { type DemandedForm, refuseOtherForm } from "./demanded-form.js";
import { httpError } from "./http-errors.js";
import type { RateLimits } from "./rate-limits.js";
import {
  OpenModelRequest,
  type RecordedModelRequest,
  type RequestFacts,
  type StreamOutcome,
} from "./recorded-request.js";
import type { Reply } from "./reply.js";
import type { ReplyScript } from "./reply-script.js";
import type { RequestLog } from "./request-log.js";
import type { TokenAuthority } from "./token-authority.js";

/** What both transports need to answer a model request: the script, the record, the accounts. */
export class ModelService {
  readonly counters: BackendCounters;
  readonly rateLimits: RateLimits;
  readonly limits: AccountLimits;
  /** Null takes any. */
  demandedForm: DemandedForm | null;
  readonly #script: ReplyScript;
  readonly #log: RequestLog;
  readonly #tokens: TokenAuthority;
  readonly #faults: unknown[] = [];
  #nextIndex = 0;
  #nextWarmupIndex = 0;
  #isClosing = false;

  constructor(parts: {
    readonly counters: BackendCounters;
    readonly rateLimits: RateLimits;
    readonly limits: AccountLimits;
    readonly demandedForm: DemandedForm | null;
    readonly script: ReplyScript;
    readonly log: RequestLog;
    readonly tokens: TokenAuthority;
  }) {
    this.counters = parts.counters;
    this.rateLimits = parts.rateLimits;
    this.limits = parts.limits;
    this.demandedForm = parts.demandedForm;
    this.#script = parts.script;
    this.#log = parts.log;
    this.#tokens = parts.tokens;
  }

  open(facts: Omit<RequestFacts, "index">): OpenModelRequest {
    const { counters } = this;
    const index = facts.isWarmup ? this.#nextWarmupIndex++ : this.#nextIndex++;
    const record = new OpenModelRequest({ ...facts, index });
    if (facts.isWarmup) {
      counters.warmups++;
    } else {
      counters.modelRequests++;
      counters[facts.transport === "sse" ? "sseRequests" : "websocketRequests"]++;
      counters.openStreams++;
      counters.peakOpenStreams = Math.max(counters.peakOpenStreams, counters.openStreams);
    }
    this.#log.add(record);
    return record;
  }

  close(record: OpenModelRequest, outcome: StreamOutcome): void {
    this.limits.leave(record);
    if (record.isWarmup) {
      record.close(outcome === "client-closed" ? "client-closed" : "completed", outcome);
      return;
    }
    const { counters } = this;
    counters.openStreams--;
    if (outcome === "client-closed" && !this.#isClosing) {
      counters.abortedByClient++;
    } else if (outcome === "http-error") {
      counters.httpErrors++;
    } else if (outcome === "completed") {
      counters.completedStreams++;
    }
    if (outcome === "client-closed") {
      record.close(this.#isClosing ? "server-closed" : "client-closed", outcome);
    } else {
      record.close(outcome === "cut" ? "server-closed" : "completed", outcome);
    }
  }

  /** A script that throws is a fault of the test; the client gets a 500 and does not hang. */
  nextReply(record: RecordedModelRequest): Reply {
    try {
      return this.#script.next(record);
    } catch (error) {
      this.reportFault(error);
      return httpError(500, { message: "The scripted reply threw." });
    }
  }

  /** The 401 for a request whose access token has been revoked, what its form is refused with, or what the account's limits say. */
  refusalFor(record: OpenModelRequest): Reply | undefined {
    const refusal = this.#tokens.refusalFor(record.headers.authorization);
    const { demandedForm } = this;
    return (
      refusal ??
      (demandedForm === null ? undefined : refuseOtherForm(record, demandedForm)) ??
      this.limits.admit(record)
    );
  }

  /** A fault of the script or of the backend itself: kept, and thrown by `close()`, lest a test miss it. */
  reportFault(error: unknown): void {
    this.#faults.push(error);
  }

  get faults(): readonly unknown[] {
    return this.#faults;
  }

  startClosing(): void {
    this.#isClosing = true;
  }
}
