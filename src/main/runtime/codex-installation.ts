import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { compareToTested } from "../../workers/contract/codex-capabilities.js";
import type { SpawnSpec } from "../../workers/contract/endpoint.js";
import type { TurnProfile } from "../../workers/contract/turn.js";
import { AccountBase } from "./account-base.js";
import type { CatalogEntry } from "./app-server/catalog-cache.js";
import { buildChildEnvironment } from "./app-server/child-environment.js";
import {
  type CodexBinary,
  type FindCodexBinaryOptions,
  findCodexBinary,
  identifyFile,
} from "./app-server/codex-binary.js";
import { type CodexHomeMode, type PreparedCodexHome, prepareCodexHome } from "./app-server/codex-home.js";
import { keepLogDatabaseSmall, measureLogDatabase } from "./app-server/log-database.js";
import { loginPatienceMs, settleLogin } from "./app-server/login-file.js";
import { type RenderedCatalog, renderModelCatalog } from "./app-server/model-catalog.js";
import { PidLedger } from "./app-server/pid-ledger.js";
import { isSystemError } from "./app-server/private-files.js";
import { buildSpawnSpec } from "./app-server/spawn-spec.js";
import {
  type InstanceDirectory,
  openStateDirectory,
  type StateDirectoryNotice,
} from "./app-server/state-directory.js";
import { describeStateFault } from "./app-server/state-directory-fault.js";
import { closingError } from "./app-server/unavailable.js";
import { askAccount } from "./ask-account.js";
import type { RunningBinary } from "./codex-log.js";
import { KeptRoutings } from "./kept-routings.js";

/** Which Codex runs, on whose login, and where its state is. */
export interface CodexInstallationOptions {
  /** An absolute path or a command name; null searches PATH and the installed package. */
  readonly bin: string | null;
  readonly homeMode: CodexHomeMode;
  /** The user's CODEX_HOME. */
  readonly userHome: string;
  readonly stateDir: string;
  /** Dotted key to TOML value, as `codex -c` takes them. */
  readonly config: Readonly<Record<string, string>>;
  /**
   * Whether Codex reaches OpenAI by a copy of its built-in provider that is more patient with a silent model: the built-in one
   * gives it up after 300 s and asks it anew. Default: yes, with versions that the copy was tried with.
   */
  readonly patientProvider?: boolean;
  /** Longest silence that a turn may have, in milliseconds; Codex waits for the model for four fifths of it. */
  readonly silenceLimitMs: number;
  readonly profile: TurnProfile;
  /** The environment that children's variables are taken from, by an allow-list. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How often an organisation's configuration is read anew, in milliseconds. Default 45 minutes. */
  readonly managedConfigurationEveryMs?: number;
  /** Each step of a child's stop ladder, in milliseconds. */
  readonly stopStepMs: number;
}

export interface OpenInstallation {
  readonly instance: InstanceDirectory;
  readonly ledger: PidLedger;
}

/** What an app-server has on disk while it runs. */
export interface InstallationState {
  /** False when somebody removed what it needs for a turn. */
  readonly intact: boolean;
  readonly logBytes: number;
}

/** Each step in which a process that a dead service left behind is ended: nobody waits for it to be quick. */
const reapStepMs = 2_000;
const versionTimeoutMs = 10_000;
const catalogTimeoutMs = 15_000;
/** A static catalog does not refresh itself: models come and go. */
const catalogMaxAgeMs = 6 * 60 * 60 * 1000;

const noticeTexts: Readonly<Record<StateDirectoryNotice["event"], string>> = {
  orphan_reaped: "ended an app-server that a killed service had left running",
  login_rescued: "a login made through a service that died was given back to the user's home",
  shared_with_another:
    "another service runs on this state directory; both refresh one login and may lock each other out: stop one, or give it a login of its own with --codex-home and --state-dir",
  stale_instance_removed: "removed what a service that died had left",
  stale_instance_kept: "could not take on what a service that died had left",
};

/** The Codex on this machine, made ready for this service: binary, own home, catalog, environment. */
export class CodexInstallation {
  readonly #options: CodexInstallationOptions;
  readonly #logger: Logger;
  readonly #degraded = new Set<string>();
  #binary: RunningBinary | null = null;
  #home: PreparedCodexHome | null = null;
  #open: OpenInstallation | null = null;
  #catalog: RenderedCatalog | null = null;
  #opening: Promise<OpenInstallation> | null = null;
  #login: string | null = null;
  #expectsLogin = false;
  #closing: Promise<void> | null = null;
  readonly #over = new AbortController();
  readonly accountBase: AccountBase;

  constructor(options: CodexInstallationOptions, clientVersion: string, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.accountBase = new AccountBase({
      clientVersion,
      ask: askAccount,
      signal: this.#over.signal,
      routings: new KeptRoutings(join(options.stateDir, "account-routings.json"), logger),
      wallClock: Date.now,
      ...(options.managedConfigurationEveryMs !== undefined && {
        renewEveryMs: options.managedConfigurationEveryMs,
      }),
      logger,
    });
  }

  /** Where this service's own part of the state directory is; null before it is opened, and after it was closed. */
  get directory(): string | null {
    return this.#open?.instance.path ?? null;
  }

  /** Where and how the binary is looked for. */
  get search(): FindCodexBinaryOptions {
    const { bin, environment } = this.#options;
    return { configured: bin, env: environment, timeoutMs: versionTimeoutMs, signal: this.#over.signal };
  }

  /** As found for the latest app-server; null before the first. */
  get binary(): RunningBinary | null {
    return this.#binary;
  }

  /** As prepared for the latest app-server; null before the first. */
  get home(): PreparedCodexHome | null {
    return this.#home;
  }

  /** What Codex's own catalog says of models, for the latest app-server; null where its own is used, or not known yet. */
  get catalog(): readonly CatalogEntry[] | null {
    return this.#catalog?.models ?? null;
  }

  /** By form, the catalog that gives it to a single thread of the latest app-server; null where its own is used. */
  get catalogPaths(): RenderedCatalog["paths"] | null {
    return this.#catalog?.paths ?? null;
  }

  /** Where Codex keeps the user's login, unless that is in a keyring. */
  get authFile(): string {
    return join(this.#options.userHome, "auth.json");
  }

  /** Who was logged in when the latest app-server was prepared, as a digest; null for nobody. */
  get login(): string | null {
    return this.#login;
  }

  /** Whether the next preparation waits for a login file that is missing. */
  expectLogin(expected: boolean): void {
    this.#expectsLogin = expected;
  }

  /** What this service does without, by name. */
  get degraded(): readonly string[] {
    return [...this.#degraded];
  }

  /**
   * Takes an instance directory and ends what a killed supervisor left behind. Later calls answer the same; after a failure
   * another may follow. Rejects once it is closed.
   */
  async open(): Promise<OpenInstallation> {
    this.#over.signal.throwIfAborted();
    this.#opening ??= this.#takeInstance().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #takeInstance(): Promise<OpenInstallation> {
    const { stateDir } = this.#options;
    const stopStepMs = reapStepMs;
    const instance = await openStateDirectory({ path: stateDir, stopStepMs, wallClock: Date.now }).catch(
      (error: unknown) => {
        throw describeStateFault(error, "starting");
      },
    );
    const ledger = new PidLedger({ directory: instance.ledger, stopStepMs });
    this.#open = { instance, ledger };
    for (const { event, ...rest } of instance.notices) {
      this.#logger.warn({ event: `state_directory.${event}`, ...rest }, noticeTexts[event]);
    }
    return this.#open;
  }

  /**
   * Makes ready for one more app-server: finds the binary, mends the login link, reads the user's configuration anew,
   * renders the catalog. Rejects with `native_runtime_unavailable` and what to do about it.
   *
   * @param previousFailure what the last app-server said on stderr if it could not start; null otherwise.
   * @param startsLaterToo whether further processes are started with the same command.
   */
  async prepare(previousFailure: string | null, startsLaterToo = false): Promise<SpawnSpec> {
    const { instance } = await this.open();
    const { signal } = this.#over;
    const { stopStepMs } = this.#options;
    const found = await findCodexBinary(this.search);
    const binary = { ...found, file: await identifyFile(found.path) };
    const home = await this.#prepareHome(instance, binary, previousFailure).catch((error: unknown) => {
      throw describeStateFault(error);
    });
    signal.throwIfAborted();
    this.#binary = binary;
    this.#home = home;
    this.#login = await settleLogin({
      file: home.authFile,
      expectsLogin: this.#expectsLogin,
      patienceMs: loginPatienceMs,
      signal,
    });
    this.#expectsLogin = this.#login !== null;
    const env = this.#childEnvironment(home);
    const modelCatalogPath = await this.#renderCatalog(instance, binary, home, env);
    signal.throwIfAborted();
    const { configArgs } = home;
    const { config } = this.#options;
    const cwd = instance.work;
    return this.accountBase.prepare({
      login: this.#login,
      authFile: home.keepsLoginInFile ? home.authFile : null,
      home: home.mode === "isolated" && !startsLaterToo ? home.path : null,
      codexVersion: binary.version,
      baseUrl: home.accountBaseUrl,
      isBaseGiven: Object.hasOwn(config, "chatgpt_base_url"),
      spawn: buildSpawnSpec({ binary, configArgs, cwd, env, modelCatalogPath, stopStepMs }),
    });
  }

  /** Looks at the disk; for the own home only. */
  async inspect(): Promise<InstallationState> {
    const home = this.#home;
    const work = this.#open?.instance.work;
    if (home === null || home.mode === "user" || work === undefined) return { intact: true, logBytes: 0 };
    try {
      await Promise.all([access(join(home.path, "config.toml")), access(work)]);
      return { intact: true, logBytes: await measureLogDatabase(home.path) };
    } catch (error) {
      // Whatever else the file system says, such as that too many files are open, may pass by itself.
      const gone = isSystemError(error, "ENOENT") || isSystemError(error, "ENOTDIR");
      return { intact: !gone, logBytes: 0 };
    }
  }

  /** Ends preparations under way, which reject; there will be no others. */
  stopPreparing(): void {
    this.#over.abort(closingError());
  }

  /** Call when every child is gone. Waits for an opening under way, and gives the instance up. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.stopPreparing();
    // What an opening failed with was said to whoever asked for it.
    const open = await this.#opening?.catch(() => null);
    await this.accountBase.close();
    this.#open = null;
    await open?.instance.close().catch((error: unknown) => {
      // It keeps its name, by which the next start sees that its owner is gone.
      this.#logger.warn(
        { event: "state_directory.not_released", err: error },
        "could not give the instance up",
      );
    });
  }

  async #prepareHome(
    instance: InstanceDirectory,
    { version: codexVersion }: CodexBinary,
    previousFailure: string | null,
  ): Promise<PreparedCodexHome> {
    const { homeMode, userHome, config, patientProvider = true, silenceLimitMs } = this.#options;
    await instance.mend();
    const home = await prepareCodexHome({
      mode: homeMode,
      userCodexHome: userHome,
      ownCodexHome: instance.codexHome,
      codexConfig: config,
      patience: {
        silenceLimitMs,
        replaceBuiltIn: patientProvider && compareToTested(codexVersion) === "within",
        codexVersion,
      },
    });
    if (home.mode === "isolated") {
      await keepLogDatabaseSmall({ codexHome: home.path, codexVersion, previousFailure });
    }
    for (const warning of home.warnings) {
      this.#logger.warn({ event: "codex_home.warning", warning }, warning);
    }
    if (home.fallbackReason !== null) {
      this.#degraded.add("isolated_codex_home");
      this.#logger.warn({ event: "codex_home.fallback", reason: home.fallbackReason }, home.fallbackReason);
    }
    if (home.authLink !== null && home.authLink !== "intact") {
      this.#logger.debug({ event: "codex_home.auth_link", mend: home.authLink }, "login link set");
    }
    return home;
  }

  async #renderCatalog(
    instance: InstanceDirectory,
    binary: CodexBinary,
    home: PreparedCodexHome,
    env: Readonly<Record<string, string>>,
  ): Promise<string | null> {
    const result = await renderModelCatalog({
      binary,
      env,
      configArgs: home.configArgs,
      cwd: instance.work,
      codexHome: home.path,
      authFile: home.authFile,
      directory: instance.catalogs,
      cacheMaxAgeMs: catalogMaxAgeMs,
      wallClock: Date.now,
      timeoutMs: catalogTimeoutMs,
      signal: this.#over.signal,
      profile: this.#options.profile,
    });
    this.#catalog = result.status === "rendered" ? result : null;
    if (result.status === "rendered") {
      this.#degraded.delete("derived_catalog_unavailable");
      return result.path;
    }
    this.#degraded.add(result.name);
    this.#logger.warn(
      { event: "catalog.degraded", reason: result.reason },
      "using Codex's own model catalog",
    );
    return null;
  }

  #childEnvironment(home: PreparedCodexHome): Record<string, string> {
    return buildChildEnvironment({
      parentEnv: this.#options.environment,
      homeMode: home.mode,
      codexHome: home.path,
      providerKeys: home.environmentKeys,
      rustLog: null,
    });
  }
}
