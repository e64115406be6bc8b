import { Worker } from "node:worker_threads";
import type { Logger } from "pino";
import type {
  AccountInput,
  AccountOutcome,
  AccountTask,
} from "../../../workers/contract/account-messages.js";
import { compareToTested, isAtLeast } from "../../../workers/contract/codex-capabilities.js";
import type { SpawnSpec } from "../../../workers/contract/endpoint.js";
import type { RateLimits, WorkspaceRouting } from "../../../workers/contract/native-queries.js";
import { createDeferred, waitWithin, watchLimits } from "../../../workers/contract/wait.js";
import { accountWorkerFile, bareThread } from "../../worker-files.js";
import { ManagedConfiguration } from "../home/managed-configuration.js";
import type { KeptRouting, KeptRoutings } from "./kept-routings.js";
import { type LoginClaims, readLoginClaims } from "./login-file.js";

/**
 * Replaces the base URL of the account's backend. Codex cannot build a request for it and so opens no connection: no server,
 * resolver or proxy sees the login's token.
 */
export const unreachableBase = "none:";

/** Plans of personal accounts. Accounts on other plans may have an organisation's configuration, which must stay in force. */
const personalPlans: ReadonlySet<string> = new Set(["free", "go", "plus", "pro", "prolite", "promax"]);

const defaultBase = "https://chatgpt.com/backend-api/";
const unrouted = "NO_CONSTRAINT";
/** Equal to the start timeout of an app-server. */
const askTimeoutMs = 15_000;
/** How long an answer about the routing stays valid, also for later processes. */
const maxAgeMs = 24 * 60 * 60_000;
const defaultRenewEveryMs = 45 * 60_000;
/**
 * Codex refreshes its login in the last five minutes before it expires; two processes that both refresh log each other out.
 */
const refreshMarginMs = 10 * 60_000;

export interface AccountBaseOptions {
  /** Version of this service, sent to Codex in the handshake. */
  readonly clientVersion: string;
  /** Asks a short-lived app-server that can reach the account's backend. */
  readonly ask: (task: AccountTask, signal: AbortSignal) => Promise<AccountOutcome>;
  readonly signal: AbortSignal;
  /** Answers about routing that earlier processes got. */
  readonly routings: Pick<KeptRoutings, "find" | "keep">;
  readonly wallClock: () => number;
  /**
   * How often to read an organisation's configuration again, in milliseconds. Default 45 minutes; Codex's copy lasts an
   * hour.
   */
  readonly renewEveryMs?: number;
  readonly logger: Logger;
}

/** An app-server that is about to start. */
export interface PreparedAppServer {
  /** Digest of the login; null if logged out. */
  readonly login: string | null;
  /** Null if the login is not kept in a file. */
  readonly authFile: string | null;
  /**
   * The service's own Codex home. Null if the app-server uses the user's home, which must not be changed. Also null if
   * further processes start in the home later without a preparation: without a valid copy of the organisation's
   * configuration, they could run no turn.
   */
  readonly home: string | null;
  readonly codexVersion: string;
  /** Codex's `chatgpt_base_url`; null for its default. */
  readonly baseUrl: string | null;
  /** Whether this service's own settings name the base; it is then never replaced. */
  readonly isBaseGiven: boolean;
  /** The command that starts it with the account's backend. */
  readonly spawn: SpawnSpec;
}

interface KnownRouting extends KeptRouting {
  readonly login: string;
}

type AccountBaseState =
  /** The login file contains no ChatGPT login, or nothing was prepared yet. */
  | { readonly kind: "no_account" }
  /** The app-server cannot reach the account's backend. */
  | { readonly kind: "cut_off"; readonly login: LoginClaims }
  /** The app-server reaches the account's backend, for this reason. */
  | { readonly kind: "kept"; readonly reason: string };

/**
 * Decides whether the app-server that runs turns may reach the account's own backend. Codex adds settings from there to
 * prompts (above all `<git_attribution>`), but a prompt must contain only what the caller sent. So the app-server is cut off
 * from the backend, with two exceptions: if a workspace routes the model's requests elsewhere, the backend stays reachable;
 * and if an organisation manages the configuration, a short-lived app-server reads it in advance.
 */
export class AccountBase {
  readonly #options: AccountBaseOptions;
  #state: AccountBaseState = { kind: "no_account" };
  #prepared: PreparedAppServer | null = null;
  #known: KnownRouting | null = null;
  #rateLimits: RateLimits | null = null;
  readonly #managed: ManagedConfiguration;
  #asking: Question | null = null;

  constructor(options: AccountBaseOptions) {
    this.#options = options;
    const { wallClock, renewEveryMs = defaultRenewEveryMs } = options;
    this.#managed = new ManagedConfiguration({ wallClock, renewEveryMs });
  }

  /** Milliseconds until the organisation's configuration must be read again; null if there is none. */
  get renewalInMs(): number | null {
    return this.#managed.renewalInMs;
  }

  /** Claims of the login if the latest app-server is cut off and cannot report its account; null otherwise. */
  get login(): LoginClaims | null {
    return this.#state.kind === "cut_off" ? this.#state.login : null;
  }

  /** Whether an app-server that is cut off is about to replace the latest one, which therefore gets no turns. */
  get isBeingReplaced(): boolean {
    return this.#state.kind === "kept" && this.#state.reason === beingReplaced;
  }

  /** Names of the prompt features that are missing. `accountMode` is how the app-server that runs turns is logged in. */
  findDegraded(accountMode: string | undefined, codexVersion: string | null): readonly string[] {
    // An app-server that somebody else runs was not prepared here, so only its login mode is known.
    const hasAccount = this.#state.kind === "kept" || accountMode === "chatgpt";
    const mayAdd = hasAccount && this.#state.kind !== "cut_off" && accountAddsToPrompts(codexVersion);
    return mayAdd ? ["caller_only_prompt"] : [];
  }

  /** Returns the plan windows from the latest answer about the account, and forgets them. */
  takeRateLimits(): RateLimits | null {
    const rateLimits = this.#rateLimits;
    this.#rateLimits = null;
    return rateLimits;
  }

  /** Reads the organisation's configuration again. Resolves with whether it changed and needs a new app-server. */
  async renewConfiguration(): Promise<boolean> {
    const app = this.#prepared;
    if (app === null) return false;
    return this.#managed.renew(() => this.#readConfiguration(app, true));
  }

  /** Returns the command to start the app-server with. Asks about the account first if the decision needs it. */
  async prepare(app: PreparedAppServer): Promise<SpawnSpec> {
    const { logger } = this.#options;
    const { spawn } = app;
    const isAlongsideAnother = this.#prepared !== null;
    this.#prepared = app;
    this.#state = await this.#decide(app, isAlongsideAnother);
    this.#options.signal.throwIfAborted();
    if (this.#state.kind === "cut_off") {
      logger.debug({ event: "account_base.cut_off" }, "turns run without the account's own settings");
      return { ...spawn, args: [...spawn.args, "-c", `chatgpt_base_url=${JSON.stringify(unreachableBase)}`] };
    }
    if (this.#state.kind === "kept" && accountAddsToPrompts(app.codexVersion)) {
      const { reason } = this.#state;
      logger.warn(
        { event: "account_base.kept", reason },
        `the account's settings may add to prompts: ${reason}`,
      );
    }
    return spawn;
  }

  /**
   * Call when the app-server has reported the account's routing. If only this answer was missing, replaces the app-server by
   * one that is cut off. Calls `onKept` if the replacement fails.
   */
  noteRouting(
    routing: WorkspaceRouting | null,
    { replace, onKept }: { readonly replace: () => Promise<void>; readonly onKept: () => void },
  ): void {
    const app = this.#prepared;
    const isAwaited = this.#state.kind === "kept" && this.#state.reason === unknownRouting;
    if (!isAwaited || app === null || app.login === null) return;
    void this.#noteKnown(app.login, routing);
    const reason = findForeignRoute(routing, app.baseUrl);
    this.#state = { kind: "kept", reason: reason ?? beingReplaced };
    if (reason !== null) return;
    replace().catch((error: unknown) => {
      const { logger } = this.#options;
      logger.warn(
        { event: "account_base.not_replaced", err: error },
        "could not start a new app-server; the old one stays",
      );
      if (this.isBeingReplaced)
        this.#state = { kind: "kept", reason: "a new app-server could not be started" };
      onKept();
    });
  }

  /** Reads the plan windows through a second, short-lived app-server; null if that is not possible now. */
  async readRateLimits(timeoutMs: number): Promise<RateLimits | null> {
    const app = this.#prepared;
    if (app === null || !(await this.#mayUseLoginAlongside(app))) return null;
    const asked = this.#ask(app.spawn, "account");
    const outcome = await waitWithin(asked, { timeoutMs, unref: true }, () => null);
    return outcome?.status === "answered" ? outcome.rateLimits : null;
  }

  /** Resolves when every short-lived app-server has ended. */
  async close(): Promise<void> {
    await this.#asking?.outcome;
  }

  async #decide(app: PreparedAppServer, isAlongsideAnother: boolean): Promise<AccountBaseState> {
    const login = app.login === null || app.authFile === null ? null : await readLoginClaims(app.authFile);
    if (login === null) {
      this.#managed.forget();
      return { kind: "no_account" };
    }
    const reason =
      findPermanentReason(app) ??
      (await this.#findOrganisationReason(app, login, isAlongsideAnother)) ??
      (await this.#findRoutingReason(app));
    return reason === null ? { kind: "cut_off", login } : { kind: "kept", reason };
  }

  async #findOrganisationReason(
    app: PreparedAppServer,
    { plan, email }: LoginClaims,
    isAlongsideAnother: boolean,
  ): Promise<string | null> {
    const isPersonal = plan !== null && personalPlans.has(plan);
    if (isPersonal || app.login === null || app.home === null) {
      this.#managed.forget();
      return isPersonal ? null : organisations;
    }
    // Codex rejects the copy of another member of the same organisation.
    const home = { login: `${app.login} ${email}`, path: app.home };
    const state = await this.#managed.provide(home, () => this.#readConfiguration(app, isAlongsideAnother));
    if (state === "ready") return null;
    return state === "none"
      ? organisations
      : "the configuration of the account's organisation cannot be read now";
  }

  async #readConfiguration(app: PreparedAppServer, isAlongsideAnother: boolean): Promise<boolean> {
    if (isAlongsideAnother && !(await this.#mayUseLoginAlongside(app))) return false;
    return (await this.#ask(app.spawn, "managed_configuration")).status === "configured";
  }

  /** Whether another process may use the login while an app-server runs on it. */
  async #mayUseLoginAlongside({ authFile }: PreparedAppServer): Promise<boolean> {
    const claims = authFile === null ? null : await readLoginClaims(authFile);
    if (claims === null) return false;
    return (claims.expiresAtMs ?? Number.POSITIVE_INFINITY) - Date.now() >= refreshMarginMs;
  }

  async #findRoutingReason(app: PreparedAppServer): Promise<string | null> {
    const known = await this.#learnRouting(app);
    return known === null ? unknownRouting : findForeignRoute(known.routing, app.baseUrl);
  }

  async #learnRouting(app: PreparedAppServer): Promise<KnownRouting | null> {
    const { login } = app;
    if (login === null) return null;
    const known = this.#known?.login === login ? this.#known : null;
    if (known !== null && this.#isFresh(known)) return known;
    const kept = await this.#options.routings.find(login);
    if (kept !== null && this.#isFresh(kept)) {
      this.#known = { login, ...kept };
      return this.#known;
    }
    const outcome = await this.#ask(app.spawn, "account");
    if (outcome.status !== "answered") return known;
    this.#rateLimits = outcome.rateLimits;
    return this.#noteKnown(login, outcome.account.routing);
  }

  async #noteKnown(login: string, routing: WorkspaceRouting | null): Promise<KnownRouting> {
    const { routings, wallClock } = this.#options;
    const known = { routing, atMs: wallClock() };
    this.#known = { login, ...known };
    await routings.keep(login, known);
    return { login, ...known };
  }

  /** If the clock was set back, the answer counts as expired. */
  #isFresh({ atMs }: KeptRouting): boolean {
    const ageMs = this.#options.wallClock() - atMs;
    return ageMs >= 0 && ageMs < maxAgeMs;
  }

  /** Runs one process at a time. Equal questions meanwhile share one answer. */
  #ask(spawn: SpawnSpec, wants: AccountTask["wants"]): Promise<AccountOutcome> {
    const { clientVersion, ask, signal, logger } = this.#options;
    const former = this.#asking;
    if (former?.wants === wants) return former.outcome;
    const task = { spawn, clientVersion, wants, timeoutMs: askTimeoutMs };
    const question: Question = {
      wants,
      outcome: (former?.outcome ?? Promise.resolve())
        .then(() => ask(task, signal))
        .then((outcome) => {
          if (this.#asking === question) this.#asking = null;
          if (outcome.status === "failed")
            logger.debug(
              { event: "account_base.not_answered", reason: outcome.message },
              "Codex did not answer about the account",
            );
          return outcome;
        }),
    };
    this.#asking = question;
    return question.outcome;
  }
}

/** A running question to a short-lived app-server. */
interface Question {
  readonly wants: AccountTask["wants"];
  readonly outcome: Promise<AccountOutcome>;
}

const organisations = "the account belongs to an organisation, whose configuration stays in force";
const beingReplaced = "a new app-server is starting";
const unknownRouting = "the routing of the account's requests is not known yet";

/** Whether this version of Codex adds the account's settings to prompts; older ones never read them. */
export function accountAddsToPrompts(codexVersion: string | null): boolean {
  return isAtLeast(codexVersion, 0, 150);
}

/** Why this app-server must keep the account's backend, whatever the routing; null if there is no such reason. */
function findPermanentReason(app: PreparedAppServer): string | null {
  if (app.isBaseGiven) return "chatgpt_base_url is set for this service";
  if (!accountAddsToPrompts(app.codexVersion)) return "this version of Codex adds nothing to prompts";
  if (compareToTested(app.codexVersion) !== "within")
    return "this version of Codex was not tested without the account's backend";
  return null;
}

/** Why the app-server needs the account's routing; null if the model's requests go to the usual backend. */
function findForeignRoute(routing: WorkspaceRouting | null, baseUrl: string | null): string | null {
  const reason = "the account's workspace routes its requests elsewhere";
  if (routing === null) return null;
  if (routing.override !== null && routing.override !== unrouted) return reason;
  if (routing.origin === null) return null;
  return readHost(routing.origin) === readHost(baseUrl ?? defaultBase) ? null : reason;
}

function readHost(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null;
}

/**
 * Asks a short-lived app-server about the account, in a worker of its own. Never rejects; once it resolves, the app-server
 * has ended. Aborting cancels the query.
 */
export async function askAccount(task: AccountTask, signal: AbortSignal): Promise<AccountOutcome> {
  const failed = (message: string): AccountOutcome => ({ status: "failed", message });
  if (signal.aborted) return failed("the service is closing");
  const worker = new Worker(accountWorkerFile, { workerData: task, ...bareThread });
  const answer = createDeferred<AccountOutcome>();
  worker.once("message", answer.resolve);
  worker.once("error", () => answer.resolve(failed("the worker that asks failed with an unexpected error")));
  worker.once("exit", () => answer.resolve(failed("the worker that asks ended unexpectedly")));
  const release = watchLimits({ signal }, () =>
    worker.postMessage({ type: "cancel" } satisfies AccountInput),
  );
  // The worker enforces the deadline; this later one covers a worker that hangs.
  const timeoutMs = task.timeoutMs + 5 * task.spawn.stopStepMs;
  try {
    return await waitWithin(answer.promise, { timeoutMs }, () =>
      failed("the worker that asks does not answer"),
    );
  } finally {
    release();
    await worker.terminate();
  }
}
