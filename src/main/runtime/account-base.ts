import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { AccountOutcome, AccountTask } from "../../workers/contract/account-messages.js";
import { compareToTested, isAtLeast } from "../../workers/contract/codex-capabilities.js";
import type { SpawnSpec } from "../../workers/contract/endpoint.js";
import type { RateLimits, WorkspaceRouting } from "../../workers/contract/native-queries.js";
import { type LoginClaims, readLoginClaims } from "./app-server/login-identity.js";
import type { KeptRouting, KeptRoutings } from "./kept-routings.js";
import { ManagedConfiguration } from "./managed-configuration.js";

/**
 * Where the account's routes are sent instead of to its backend. No request can be made for it, so Codex makes no connection: no
 * server, resolver or proxy ever sees the login's token.
 */
export const nowhere = "none:";

/** The accounts that belong to one person. All others may have an organisation's configuration, which is in force in any case. */
const personalPlans: ReadonlySet<string> = new Set(["free", "go", "plus", "pro", "prolite", "promax"]);

const defaultBase = "https://chatgpt.com/backend-api/";
const unrouted = "NO_CONSTRAINT";
/** As long as an app-server may take to start. */
const askTimeoutMs = 15_000;
/** How long an answer about the routing holds at a new start, of this process or of a later one. */
const maxAgeMs = 24 * 60 * 60_000;
const defaultRenewEveryMs = 45 * 60_000;
/** Codex refreshes its login in the last five minutes; two processes that do so lock each other out. */
const refreshMarginMs = 10 * 60_000;

export interface AccountBaseOptions {
  /** Of this service, which Codex is told. */
  readonly clientVersion: string;
  /** Asks a short-lived app-server, which is started with the base. */
  readonly ask: (task: AccountTask, signal: AbortSignal) => Promise<AccountOutcome>;
  readonly signal: AbortSignal;
  /** What earlier processes were answered. */
  readonly routings: Pick<KeptRoutings, "find" | "keep">;
  readonly wallClock: () => number;
  /** How often an organisation's configuration is read anew, in milliseconds. Default 45 minutes, within Codex's hour. */
  readonly renewEveryMs?: number;
  readonly logger: Logger;
}

/** One app-server that is being prepared. */
export interface PreparedAppServer {
  /** Who is logged in, as a digest; null for nobody. */
  readonly login: string | null;
  /** Null where the login is not kept in a file. */
  readonly authFile: string | null;
  /**
   * Its home; null where that is the user's own, in which nothing is touched, and where processes start in it later that were not
   * prepared: one that finds no copy of an organisation's configuration then runs no turn.
   */
  readonly home: string | null;
  readonly codexVersion: string;
  /** Codex's `chatgpt_base_url`; null for its default. */
  readonly baseUrl: string | null;
  /** Whether the base was given to this service itself, whose word it then is. */
  readonly isBaseGiven: boolean;
  /** How it is started with the base. */
  readonly spawn: SpawnSpec;
}

interface KnownRouting extends KeptRouting {
  readonly login: string;
}

type AccountBaseState =
  /** The login file holds no ChatGPT login, or nothing was prepared yet. */
  | { readonly kind: "no_account" }
  | { readonly kind: "cut_off"; readonly login: LoginClaims }
  | { readonly kind: "kept"; readonly reason: string };

/**
 * Decides whether the app-server that runs turns reaches the account's own backend. What it finds there goes into the prompt
 * (`<git_attribution>` above all), and a prompt is the caller's alone. Turns need nothing from there, with two exceptions: a
 * workspace that routes the model's requests elsewhere keeps it, and an organisation's managed configuration is read ahead.
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

  /** When an organisation's configuration is to be read anew, in milliseconds; null where there is none. */
  get renewalInMs(): number | null {
    return this.#managed.renewalInMs;
  }

  /** Who is logged in, where the latest app-server is cut off and cannot say it; null where it can. */
  get login(): LoginClaims | null {
    return this.#state.kind === "cut_off" ? this.#state.login : null;
  }

  /** Whether the latest app-server is about to be replaced by one that is cut off: it gets no turns. */
  get isBeingReplaced(): boolean {
    return this.#state.kind === "kept" && this.#state.reason === beingReplaced;
  }

  /** What prompts go without, by name. `accountMode`: how the app-server that runs turns is logged in. */
  findDegraded(accountMode: string | undefined, codexVersion: string | null): readonly string[] {
    // An app-server of someone else's was not prepared here.
    const hasAccount = this.#state.kind === "kept" || accountMode === "chatgpt";
    const mayAdd = hasAccount && this.#state.kind !== "cut_off" && accountAddsToPrompts(codexVersion);
    return mayAdd ? ["caller_only_prompt"] : [];
  }

  /** The plan's windows as they came with the latest answer about the account, once. */
  takeRateLimits(): RateLimits | null {
    const rateLimits = this.#rateLimits;
    this.#rateLimits = null;
    return rateLimits;
  }

  /** Reads an organisation's configuration anew. Resolves with whether another app-server must take over for it. */
  async renewConfiguration(): Promise<boolean> {
    const app = this.#prepared;
    if (app === null) return false;
    return this.#managed.renew(() => this.#readConfiguration(app, true));
  }

  /** What the app-server is started with. Asks about the account where that must be known first. */
  async prepare(app: PreparedAppServer): Promise<SpawnSpec> {
    const { logger } = this.#options;
    const { spawn } = app;
    const isBesideAnother = this.#prepared !== null;
    this.#prepared = app;
    this.#state = await this.#decide(app, isBesideAnother);
    this.#options.signal.throwIfAborted();
    if (this.#state.kind === "cut_off") {
      logger.debug({ event: "account_base.cut_off" }, "turns run without the account's own settings");
      return { ...spawn, args: [...spawn.args, "-c", `chatgpt_base_url=${JSON.stringify(nowhere)}`] };
    }
    if (this.#state.kind === "kept" && accountAddsToPrompts(app.codexVersion)) {
      const { reason } = this.#state;
      logger.warn({ event: "account_base.kept", reason }, `the account may add to prompts: ${reason}`);
    }
    return spawn;
  }

  /**
   * The app-server said where the account is routed. Replaces it by one that is cut off, where it is not for want of that word alone;
   * `onKept` is called if that fails.
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
      logger.warn({ event: "account_base.not_replaced", err: error }, "the app-server stays as it is");
      if (this.isBeingReplaced)
        this.#state = { kind: "kept", reason: "no other app-server could be started" };
      onKept();
    });
  }

  /** The plan's windows, asked beside an app-server that is cut off; null where they cannot be read now. */
  async readRateLimits(timeoutMs: number): Promise<RateLimits | null> {
    const app = this.#prepared;
    if (app === null || !(await this.#mayAskBeside(app))) return null;
    const late = delay(timeoutMs, null, { ref: false });
    const outcome = await Promise.race([this.#ask(app.spawn, "account"), late]);
    return outcome?.status === "answered" ? outcome.rateLimits : null;
  }

  /** Resolves when no process is left that was asked. */
  async close(): Promise<void> {
    await this.#asking?.outcome;
  }

  async #decide(app: PreparedAppServer, isBesideAnother: boolean): Promise<AccountBaseState> {
    const login = app.login === null || app.authFile === null ? null : await readLoginClaims(app.authFile);
    if (login === null) {
      this.#managed.forget();
      return { kind: "no_account" };
    }
    const reason =
      findLastingReason(app) ??
      (await this.#findOrganisationReason(app, login, isBesideAnother)) ??
      (await this.#findRoutingReason(app));
    return reason === null ? { kind: "cut_off", login } : { kind: "kept", reason };
  }

  async #findOrganisationReason(
    app: PreparedAppServer,
    { plan, email }: LoginClaims,
    isBesideAnother: boolean,
  ): Promise<string | null> {
    const isPersonal = plan !== null && personalPlans.has(plan);
    if (isPersonal || app.login === null || app.home === null) {
      this.#managed.forget();
      return isPersonal ? null : organisations;
    }
    // Codex takes no other member's copy of the same organisation.
    const home = { login: `${app.login} ${email}`, path: app.home };
    const state = await this.#managed.provide(home, () => this.#readConfiguration(app, isBesideAnother));
    if (state === "ready") return null;
    return state === "none" ? organisations : "what the account's organisation demands cannot be read now";
  }

  async #readConfiguration(app: PreparedAppServer, isBesideAnother: boolean): Promise<boolean> {
    if (isBesideAnother && !(await this.#mayAskBeside(app))) return false;
    return (await this.#ask(app.spawn, "managed_configuration")).status === "configured";
  }

  /** Whether another process may use the login while an app-server runs on it. */
  async #mayAskBeside({ authFile }: PreparedAppServer): Promise<boolean> {
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

  /** A clock that was set back makes an answer old, not young. */
  #isFresh({ atMs }: KeptRouting): boolean {
    const ageMs = this.#options.wallClock() - atMs;
    return ageMs >= 0 && ageMs < maxAgeMs;
  }

  /** One process at a time: whoever asks the same meanwhile gets the same answer. */
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
              "Codex did not say",
            );
          return outcome;
        }),
    };
    this.#asking = question;
    return question.outcome;
  }
}

/** Asked of a short-lived app-server. */
interface Question {
  readonly wants: AccountTask["wants"];
  readonly outcome: Promise<AccountOutcome>;
}

const organisations = "the account belongs to an organisation, whose configuration stays in force";
const beingReplaced = "a new app-server is starting";
const unknownRouting = "it is not known yet where the account's requests go";

/** Older ones never ask for the account's settings. */
export function accountAddsToPrompts(codexVersion: string | null): boolean {
  return isAtLeast(codexVersion, 0, 150);
}

/** Why this app-server keeps the account's base, wherever the account is routed; null where nothing speaks for it. */
function findLastingReason(app: PreparedAppServer): string | null {
  if (app.isBaseGiven) return "chatgpt_base_url was given to this service";
  if (!accountAddsToPrompts(app.codexVersion)) return "this version of Codex adds nothing";
  if (compareToTested(app.codexVersion) !== "within")
    return "this version of Codex was not tried without the account's backend";
  return null;
}

/** Why the model's requests must go where the account says; null where they go to the usual place. */
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
