import type { Logger } from "pino";
import type { AccountAnswer, WorkspaceRouting } from "../../workers/contract/native-queries.js";
import type { AccountBase } from "./account-base.js";
import type { CatalogEntry } from "./app-server/catalog-cache.js";
import { type LoginClaims, readLoginAccountId } from "./app-server/login-identity.js";
import type { WorkerSlot } from "./pool/worker-slot.js";
import type { NativeAccount, NativeModel, RateLimits } from "./types.js";

const queryTimeoutMs = 10_000;
/** Plans have windows of hours and of a week; a month is beyond all of them. */
const longestWindowMinutes = 31 * 24 * 60;

/** What is known of the Codex on this machine without asking it. */
export interface InstalledFacts {
  /** Null where the home is not ours to read. */
  readonly authFile: string | null;
  /** Null where Codex uses its own catalog, which says all by itself. */
  readonly catalog: readonly CatalogEntry[] | null;
  /** Null where Codex says itself who is logged in. */
  readonly accountBase: Pick<AccountBase, "login" | "readRateLimits"> | null;
}

/** What Codex last said of account, catalog and plan windows: health and routing read it here and never wait for Codex. */
export class CodexFacts {
  readonly #logger: Logger;
  #account: NativeAccount | null = null;
  #loginRequired = false;
  #models: readonly NativeModel[] | null = null;
  #rateLimits: RateLimits | null = null;
  #managedTexts: readonly string[] = [];
  #loadedThreads: number | null = null;
  #routing: WorkspaceRouting | null = null;
  /** Null where the app-server can ask for the windows itself. */
  #accountBase: InstalledFacts["accountBase"] = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get account(): NativeAccount | null {
    return this.#account;
  }

  /** True when the provider wants a login and nobody is logged in. */
  get loginRequired(): boolean {
    return this.#loginRequired;
  }

  /** Why turns cannot run under the login there is; null where they can. `accountId` is the only account they may run under. */
  findLoginFault(accountId: string | null): { readonly event: string; readonly message: string } | null {
    if (this.#loginRequired) {
      return {
        event: "codex.login_required",
        message: "Codex is not logged in on this machine. Run `codex login`; the service notices by itself.",
      };
    }
    if (accountId === null || this.#account?.id === accountId) return null;
    return {
      event: "codex.wrong_account",
      message:
        "Codex is logged in with another account than the one this service is for. Log in with that one; the service notices by itself.",
    };
  }

  /** Null until the catalog was read. Hidden models included. */
  get models(): readonly NativeModel[] | null {
    return this.#models;
  }

  /** Where the account's workspace wants its requests, where Codex says it. */
  get routing(): WorkspaceRouting | null {
    return this.#routing;
  }

  /** The organisation's texts that Codex puts into each prompt, by the name of their key. */
  get managedTexts(): readonly string[] {
    return this.#managedTexts;
  }

  get rateLimits(): RateLimits | null {
    return this.#rateLimits;
  }

  get loadedThreads(): number | null {
    return this.#loadedThreads;
  }

  /**
   * Reads what turns depend on. Rejects when the worker cannot answer. Codex before 0.160 does not say which ChatGPT account it
   * is: then the login file does. What a derived catalog keeps from Codex is taken from where it was derived.
   */
  async readEssentials(slot: WorkerSlot, { authFile, catalog, accountBase }: InstalledFacts): Promise<void> {
    const login = accountBase?.login ?? null;
    const [account, { models }, managedTexts] = await Promise.all([
      login === null ? readAccount(slot) : readClaimedAccount(slot, login),
      slot.query({ query: "models" }, queryTimeoutMs),
      this.#readManagedTexts(slot),
    ]);
    this.#managedTexts = managedTexts;
    this.#routing = account.routing;
    this.#accountBase = login === null ? null : accountBase;
    const accountId =
      account.accountId === null && account.authMode === "chatgpt" && authFile !== null
        ? await readLoginAccountId(authFile)
        : account.accountId;
    this.#loginRequired = account.loginRequired && account.authMode === null;
    if (this.#loginRequired || this.#account?.id !== accountId) this.#rateLimits = null;
    this.#account = this.#loginRequired
      ? null
      : {
          id: accountId,
          email: account.email,
          plan: account.plan,
          authMode: account.authMode ?? "none",
        };
    const own = new Map(catalog?.map(({ id, defaultReasoningEffort }) => [id, defaultReasoningEffort]));
    this.#models = models.map((model) => {
      const effort = own.get(model.id);
      return effort === undefined ? model : { ...model, defaultReasoningEffort: effort };
    });
  }

  /** Turns do not depend on it: a failure leaves the last word standing. */
  async #readManagedTexts(slot: WorkerSlot): Promise<readonly string[]> {
    try {
      return (await slot.query({ query: "managed_texts" }, queryTimeoutMs)).names;
    } catch (error) {
      this.#logger.debug({ event: "codex_facts.read_failed", err: error }, "could not read managed texts");
      return this.#managedTexts;
    }
  }

  /** Reads what only health shows; a failure leaves the last word standing. */
  async readLoadedThreads(slot: WorkerSlot): Promise<void> {
    try {
      this.#loadedThreads = (await slot.query({ query: "loaded_threads" }, queryTimeoutMs)).count;
    } catch (error) {
      this.#noteUnread(error);
    }
  }

  /** The same for the windows of the plan. Resolves with whether they are known now, as far as this login has any. */
  async readRateLimits(slot: WorkerSlot, timeoutMs: number): Promise<boolean> {
    const account = this.#account;
    // Only a ChatGPT plan has windows; other logins answer with an error.
    if (account?.authMode !== "chatgpt") return true;
    try {
      const rateLimits = await this.#askRateLimits(slot, timeoutMs);
      if (rateLimits === null || this.#account?.id !== account.id) return false;
      this.#rateLimits = rateLimits;
      return true;
    } catch (error) {
      this.#noteUnread(error);
      return false;
    }
  }

  /** An app-server that is cut off cannot ask: one beside it does. Null where nobody can now. */
  async #askRateLimits(slot: WorkerSlot, timeoutMs: number): Promise<RateLimits | null> {
    if (this.#accountBase !== null) return this.#accountBase.readRateLimits(timeoutMs);
    return (await slot.query({ query: "rate_limits" }, timeoutMs)).rateLimits;
  }

  #noteUnread(error: unknown): void {
    this.#logger.debug({ event: "codex_facts.read_failed", err: error }, "could not read usage from Codex");
  }

  /** Codex told of a change by itself: what such a notice leaves out is as it was. */
  noteRateLimits(told: RateLimits): void {
    const known = this.#rateLimits;
    const primary = told.primary ?? known?.primary ?? null;
    const secondary = told.secondary ?? known?.secondary ?? null;
    const isFull = [primary, secondary].some((window) => (window?.usedPercent ?? 0) >= 100);
    this.#rateLimits = {
      primary,
      secondary,
      plan: told.plan ?? known?.plan ?? null,
      // A limit that was reached is told, and that there is room again is seen by the windows alone.
      reached: told.reached ?? (isFull ? (known?.reached ?? null) : null),
    };
  }

  /**
   * When the used-up window of the plan opens again, in milliseconds from now; null where none is known to be used up. The
   * backend's clock says when and ours what is left: where ours is wrong, it is at least never longer than the window is.
   */
  windowOpensInMs(nowMs: number): number | null {
    const windows = [this.#rateLimits?.primary, this.#rateLimits?.secondary];
    const waits = windows.flatMap((window) => {
      if (window?.resetsAt == null || window.usedPercent < 100) return [];
      const { resetsAt, windowMinutes } = window;
      return [Math.min(resetsAt * 1000 - nowMs, (windowMinutes ?? longestWindowMinutes) * 60_000)];
    });
    return waits.length === 0 ? null : Math.max(1000, ...waits);
  }

  forget(): void {
    this.#account = null;
    this.#loginRequired = false;
    this.#models = null;
    this.#rateLimits = null;
    this.#managedTexts = [];
    this.#loadedThreads = null;
  }
}

async function readAccount(slot: WorkerSlot): Promise<AccountAnswer> {
  return (await slot.query({ query: "account" }, queryTimeoutMs)).account;
}

/** An app-server that cannot reach the account's backend says whether it has a login; the login says whose it is. */
async function readClaimedAccount(slot: WorkerSlot, login: LoginClaims): Promise<AccountAnswer> {
  const { status } = await slot.query({ query: "auth_status" }, queryTimeoutMs);
  const { authMode, loginRequired } = status;
  const isUsed = authMode !== null;
  return {
    authMode,
    loginRequired,
    accountId: isUsed ? login.accountId : null,
    email: isUsed ? login.email : null,
    plan: isUsed ? login.plan : null,
    routing: null,
  };
}
