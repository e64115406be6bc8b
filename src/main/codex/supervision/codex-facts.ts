import type { Logger } from "pino";
import type { AccountAnswer, WorkspaceRouting } from "../../../workers/contract/native-queries.js";
import type { NativeAccount, NativeModel, RateLimits } from "../../runtime/types.js";
import type { CatalogEntry } from "../catalog/catalog-cache.js";
import type { PreparedCodexHome } from "../home/codex-home.js";
import type { AccountBase } from "../login/account-base.js";
import { type LoginClaims, readLoginAccountId } from "../login/login-file.js";
import type { WorkerSlot } from "../workers/worker-slot.js";

const queryTimeoutMs = 10_000;
/** Plan windows last hours or a week; a month is longer than any of them. */
const longestWindowMinutes = 31 * 24 * 60;

/** What the service knows about the installed Codex without asking it. */
export interface InstalledFacts {
  /** Null before the first start. */
  readonly home: Pick<PreparedCodexHome, "authFile"> | null;
  /** Null if Codex uses its own catalog; it then reports all values itself. */
  readonly catalog: readonly CatalogEntry[] | null;
  readonly accountBase: Pick<AccountBase, "login" | "readRateLimits">;
}

/**
 * The last answers of Codex about account, catalog and plan windows. Health and routing read them here without waiting for
 * Codex.
 */
export class CodexFacts {
  readonly #logger: Logger;
  #account: NativeAccount | null = null;
  #loginRequired = false;
  #models: readonly NativeModel[] | null = null;
  #rateLimits: RateLimits | null = null;
  #managedTexts: readonly string[] = [];
  #loadedThreads: number | null = null;
  #reportedRssBytes: number | null = null;
  #routing: WorkspaceRouting | null = null;
  /** Null if the app-server itself can read the plan windows. */
  #accountBase: InstalledFacts["accountBase"] | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get account(): NativeAccount | null {
    return this.#account;
  }

  /** Whether the provider needs a login and there is none. */
  get loginRequired(): boolean {
    return this.#loginRequired;
  }

  /**
   * Why turns cannot run with the current login; null if they can. `accountId` is the only allowed account; null allows any.
   */
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
        "Codex is logged in with another account than the configured one. Log in with the configured account; the service notices by itself.",
    };
  }

  /** All models, also hidden ones; null until the catalog was read. */
  get models(): readonly NativeModel[] | null {
    return this.#models;
  }

  /** Where the account's workspace routes its requests; null if Codex has not reported any routing. */
  get routing(): WorkspaceRouting | null {
    return this.#routing;
  }

  /** Configuration keys of the organisation's texts that Codex adds to each prompt. */
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
   * Reads what turns depend on. Rejects if the worker cannot answer. Codex before 0.160 does not report the id of the ChatGPT
   * account, so it is read from the login file. Values that the derived catalog overwrites come from Codex's own catalog.
   */
  async readEssentials(slot: WorkerSlot, { home, catalog, accountBase }: InstalledFacts): Promise<void> {
    const { login } = accountBase;
    const [account, { models }, managedTexts] = await Promise.all([
      login === null ? readAccount(slot) : readClaimedAccount(slot, login),
      slot.query({ query: "models" }, queryTimeoutMs),
      this.#readManagedTexts(slot),
    ]);
    this.#managedTexts = managedTexts;
    this.#routing = account.routing;
    this.#accountBase = login === null ? null : accountBase;
    const accountId =
      account.accountId === null && account.authMode === "chatgpt" && home !== null
        ? await readLoginAccountId(home.authFile)
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

  /** Turns do not depend on these; after a failure the last answer is kept. */
  async #readManagedTexts(slot: WorkerSlot): Promise<readonly string[]> {
    try {
      return (await slot.query({ query: "managed_texts" }, queryTimeoutMs)).names;
    } catch (error) {
      this.#logger.debug({ event: "codex_facts.read_failed", err: error }, "could not read managed texts");
      return this.#managedTexts;
    }
  }

  /** Resident memory of an app-server that somebody else runs, as it last reported it; null while unknown. */
  get reportedRssBytes(): number | null {
    return this.#reportedRssBytes;
  }

  /** Reads what only health shows; after a failure the last answer is kept. */
  async readDetails(slot: WorkerSlot, { withMemory }: { readonly withMemory: boolean }): Promise<void> {
    try {
      this.#loadedThreads = (await slot.query({ query: "loaded_threads" }, queryTimeoutMs)).count;
      if (!withMemory) return;
      // Codex before 0.169 does not know the question.
      this.#reportedRssBytes = (await slot.query({ query: "resident_memory" }, queryTimeoutMs)).bytes;
    } catch (error) {
      this.#noteUnread(error);
    }
  }

  /**
   * Reads the plan windows; after a failure the last answer is kept. Resolves with true if they are known or the login has
   * none.
   */
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

  /**
   * Asks a short-lived app-server if the running one is cut off from the account's backend. Null if that is not possible
   * now.
   */
  async #askRateLimits(slot: WorkerSlot, timeoutMs: number): Promise<RateLimits | null> {
    if (this.#accountBase !== null) return this.#accountBase.readRateLimits(timeoutMs);
    return (await slot.query({ query: "rate_limits" }, timeoutMs)).rateLimits;
  }

  #noteUnread(error: unknown): void {
    this.#logger.debug({ event: "codex_facts.read_failed", err: error }, "could not read usage from Codex");
  }

  /** Merges a notification from Codex. Values that it leaves out are unchanged. */
  noteRateLimits(notice: RateLimits): void {
    const known = this.#rateLimits;
    const primary = notice.primary ?? known?.primary ?? null;
    const secondary = notice.secondary ?? known?.secondary ?? null;
    const isFull = [primary, secondary].some((window) => (window?.usedPercent ?? 0) >= 100);
    this.#rateLimits = {
      primary,
      secondary,
      plan: notice.plan ?? known?.plan ?? null,
      // Codex reports a limit when it is reached, but not when it ends; the windows show that.
      reached: notice.reached ?? (isFull ? (known?.reached ?? null) : null),
    };
  }

  /**
   * Milliseconds until the plan's used-up window opens again; null if none is known to be used up. The reset time is by the
   * backend's clock. If ours is wrong, the result is wrong too, but never longer than the window.
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
    this.#reportedRssBytes = null;
  }
}

async function readAccount(slot: WorkerSlot): Promise<AccountAnswer> {
  return (await slot.query({ query: "account" }, queryTimeoutMs)).account;
}

/** For an app-server that is cut off: it reports whether it has a login, and the login file says whose. */
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
