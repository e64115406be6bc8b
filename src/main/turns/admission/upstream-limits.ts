import type { Logger } from "pino";
import { z } from "zod";
import { AccountDigest, KeptRecords, longestKey } from "../../codex/home/kept-records.js";
import type { UpstreamLimitHealth } from "../../runtime/types.js";
import type { AccountRoom, AccountSeat } from "./admission.js";
import {
  LearnedLimit,
  type LearnedLimitChange,
  type LearnedLimitRecord,
  type LearnedLimitSeat,
} from "./learned-limit.js";

/** Turns at once that an unknown account is trusted with: what the official client keeps to for its own subagents. */
const startLimit = 6;
/** Accounts, and models with a limit of their own, that are remembered. */
const maxRemembered = 64;

export interface UpstreamLimitsOptions {
  /** `auto` learns; a number is kept to, and a refusal only makes the account pause. */
  readonly limit: "auto" | number;
  /** Never more than this many turns at once; it may change. */
  readonly most: () => number;
  /** Where what was learned outlives the process; null keeps it in memory. */
  readonly file: string | null;
  readonly now: () => number;
  readonly wallClock: () => number;
}

const recordSchema = z.object({
  limit: z.int().positive(),
  ceiling: z.int().positive().nullable(),
  confirmedAtMs: z.number(),
});

/**
 * What each account, and each model that was refused by itself, lets run at once. Turns of an account that is not known yet
 * start from the same small number.
 */
export class UpstreamLimits implements AccountRoom {
  readonly isLimited = true;
  readonly #options: UpstreamLimitsOptions;
  readonly #account: () => string | null;
  readonly #logger: Logger;
  /** By key, those that were first needed first. */
  readonly #limits = new Map<string, LearnedLimit>();
  #known: Readonly<Record<string, LearnedLimitRecord>> = {};
  readonly #digest = new AccountDigest();
  #refusals = 0;
  /** Something was learned, by this process or an earlier one. */
  #isWorthKeeping = false;
  readonly #records: KeptRecords<LearnedLimitRecord>;

  constructor(options: UpstreamLimitsOptions, account: () => string | null, logger: Logger) {
    this.#options = options;
    this.#account = account;
    this.#logger = logger;
    const { file } = options;
    const what = "learned limits";
    this.#records = new KeptRecords({ file, value: recordSchema, event: "upstream_limits", what, logger });
  }

  async load(): Promise<void> {
    const records = await this.#records.load();
    this.#known = Object.fromEntries(Object.entries(records).slice(-maxRemembered));
    this.#isWorthKeeping = Object.keys(this.#known).length > 0;
  }

  /** Writes what was learned last. */
  async close(): Promise<void> {
    // Also where nothing changed since: when it was last confirmed counts as much.
    if (this.#isWorthKeeping) this.#records.save(this.#worthKeeping());
    await this.#records.close();
  }

  /** Refusals since the start that were taken back into the queue or ended a turn. */
  get refusals(): number {
    return this.#refusals;
  }

  hasRoom(model: string): boolean {
    if (!this.#limitOf(null).hasRoom()) return false;
    // A model that never ran has no limit: a caller may have made up its name.
    return !this.#isKnown(model) || this.#limitOf(model).hasRoom();
  }

  free(): number {
    const { limit, running } = this.#limitOf(null);
    return Math.max(0, limit - running);
  }

  roomInMs(): number | null {
    const prefix = this.#keyOf(null);
    const ofAccount = [...this.#limits].filter(([key]) => key.startsWith(prefix));
    const waits = ofAccount.map(([, limit]) => limit.roomInMs()).filter((wait) => wait !== null);
    return waits.length === 0 ? null : Math.min(...waits);
  }

  enter(model: string): AccountSeat {
    const limits = { account: this.#limitOf(null), model: this.#limitOf(model) };
    const seats = { account: limits.account.enter(), model: limits.model.enter() };
    const inBoth = (act: (seat: LearnedLimitSeat) => void) => () => {
      act(seats.account);
      act(seats.model);
    };
    return {
      started: inBoth((seat) => seat.started()),
      overdue: inBoth((seat) => seat.overdue()),
      accepted: inBoth((seat) => seat.accepted()),
      unrefused: inBoth((seat) => seat.unrefused()),
      refused: (scope) => {
        this.#refusals += 1;
        seats[scope].refused();
      },
      isAlone: (scope) => limits[scope].running === 0,
      leave: inBoth((seat) => seat.leave()),
    };
  }

  /** The limits of the account in force; of its models those that were refused by themselves. */
  health(): readonly UpstreamLimitHealth[] {
    const prefix = this.#keyOf(null);
    return [...this.#limits].flatMap(([key, limit]) => {
      if (!key.startsWith(prefix)) return [];
      const model = key === prefix ? null : key.slice(prefix.length + 1);
      const { ceiling } = limit.toRecord();
      if (model !== null && ceiling === null) return [];
      return [{ model, limit: limit.limit, running: limit.running, ceiling }];
    });
  }

  #isKnown(model: string): boolean {
    const key = this.#keyOf(model);
    return this.#limits.has(key) || Object.hasOwn(this.#known, key);
  }

  /** Of a model (null: of the whole account). A model has no limit before it was refused by itself. */
  #limitOf(model: string | null): LearnedLimit {
    const key = this.#keyOf(model);
    const known = this.#limits.get(key);
    if (known !== undefined) return known;
    const { limit, most, now, wallClock } = this.#options;
    const created = new LearnedLimit(
      {
        start: model !== null ? Number.POSITIVE_INFINITY : limit === "auto" ? startLimit : limit,
        // What bounds the account bounds its models.
        most: model !== null ? () => Number.POSITIVE_INFINITY : limit === "auto" ? most : () => limit,
        learns: limit === "auto",
        now,
        wallClock,
        onChange: (change) => this.#onChange(model, change),
      },
      limit === "auto" ? (this.#known[key] ?? null) : null,
    );
    this.#limits.set(key, created);
    this.#forgetIdle();
    return created;
  }

  /** Never that of the account in force: callers may name as many models as they like. */
  #forgetIdle(): void {
    const ofAccount = this.#keyOf(null);
    const idle = [...this.#limits].filter(([key, limit]) => limit.running === 0 && key !== ofAccount);
    const isLearned = ([, limit]: (typeof idle)[number]) => limit.toRecord().ceiling !== null;
    // What was learned goes last.
    for (const [key] of [...idle.filter((entry) => !isLearned(entry)), ...idle.filter(isLearned)]) {
      if (this.#limits.size <= maxRemembered) return;
      this.#limits.delete(key);
    }
  }

  #onChange(model: string | null, { limit, former, reason }: LearnedLimitChange): void {
    const scope = model ?? "account";
    this.#logger.info(
      { event: "upstream_limit.changed", scope, former, limit, reason },
      `the backend now accepts ${limit} concurrent turns (before: ${former})`,
    );
    this.#isWorthKeeping = true;
    this.#records.saveSoon(() => this.#worthKeeping());
  }

  #worthKeeping(): Readonly<Record<string, LearnedLimitRecord>> {
    const learned = [...this.#limits].flatMap(([key, limit]) => {
      const record = limit.toRecord();
      const isOfAccount = !key.includes(" ");
      return key.length <= longestKey && (isOfAccount || record.ceiling !== null)
        ? [[key, record] as const]
        : [];
    });
    const records = Object.entries({ ...this.#known, ...Object.fromEntries(learned) });
    // The last ones are kept: accounts rather than their models.
    const ofModels = records.filter(([key]) => key.includes(" "));
    const ofAccounts = records.filter(([key]) => !key.includes(" "));
    return Object.fromEntries([...ofModels, ...ofAccounts].slice(-maxRemembered));
  }

  /** In the account in force; null: of all its models. */
  #keyOf(model: string | null): string {
    const digest = this.#digest.of(this.#account());
    return model === null ? digest : `${digest} ${model}`;
  }
}
