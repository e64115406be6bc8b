import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { compareToTested } from "../../../workers/contract/codex-capabilities.js";
import type { SpawnSpec } from "../../../workers/contract/endpoint.js";
import type { TurnProfile } from "../../../workers/contract/turn.js";
import type { CodexHomeMode } from "../../config/codex-choices.js";
import { findCertificateFileFault } from "../../outbound/trusted-roots.js";
import { buildChildEnvironment } from "../binary/child-environment.js";
import {
  type CodexBinary,
  type FindCodexBinaryOptions,
  findCodexBinary,
  identifyFile,
} from "../binary/codex-binary.js";
import { buildSpawnSpec } from "../binary/spawn-spec.js";
import type { CatalogEntry } from "../catalog/catalog-cache.js";
import { type RenderedCatalog, renderModelCatalog } from "../catalog/model-catalog.js";
import { findModelBackend, type PreparedCodexHome, prepareCodexHome } from "../home/codex-home.js";
import { keepLogDatabaseSmall, measureLogDatabase } from "../home/log-database.js";
import { isSystemError } from "../home/private-files.js";
import {
  type InstanceDirectory,
  openStateDirectory,
  type StateDirectoryNotice,
} from "../home/state-directory.js";
import { describeStateFault } from "../home/state-directory-fault.js";
import { AccountBase, askAccount } from "../login/account-base.js";
import { KeptRoutings } from "../login/kept-routings.js";
import { loginPatienceMs, readLoginDigests, settleLogin } from "../login/login-file.js";
import { describeBackendFault } from "../network/backend-words.js";
import { NetworkDiagnosis } from "../network/network-diagnosis.js";
import { PidLedger } from "../process/pid-ledger.js";
import { closingError, unavailable } from "../process/unavailable.js";
import type { RunningBinary } from "./codex-log.js";

/** Which Codex to run, with which login, and where to keep its state. */
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
   * Whether Codex uses a copy of its built-in OpenAI provider that waits longer for a silent model. The built-in one gives up
   * after 300 s and sends the request again. Default true; only used with versions of Codex that the copy was tested with.
   */
  readonly patientProvider?: boolean;
  /** Longest silence allowed in a turn, in milliseconds. Codex waits four fifths of it for the model. */
  readonly silenceLimitMs: number;
  readonly profile: TurnProfile;
  /** Source of the children's environment, filtered by an allow-list. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How often to read an organisation's configuration again, in milliseconds. Default 45 minutes. */
  readonly managedConfigurationEveryMs?: number;
  /** Duration of each step of a child's stop ladder, in milliseconds. */
  readonly stopStepMs: number;
}

export interface OpenInstallation {
  readonly instance: InstanceDirectory;
  readonly ledger: PidLedger;
}

/** State of an app-server's files on disk. */
export interface InstallationState {
  /** False if files that a turn needs were removed. */
  readonly intact: boolean;
  readonly logBytes: number;
}

/** Duration of each step of the stop ladder for the orphans of a dead service, in milliseconds. */
const reapStepMs = 2_000;
const versionTimeoutMs = 10_000;
const catalogTimeoutMs = 15_000;
/** Codex does not refresh a derived catalog, so it is rendered again after this time to see new models. */
const catalogMaxAgeMs = 6 * 60 * 60 * 1000;

const noticeTexts: Readonly<Record<StateDirectoryNotice["event"], string>> = {
  orphan_reaped: "ended an app-server left running by a killed service",
  login_rescued: "moved a login that a dead service had not handed over to the user's Codex home",
  shared_with_another:
    "another service uses this state directory; both refresh the same login and may log each other out: stop one, or give it its own login with --codex-home and --state-dir",
  stale_instance_removed: "removed the files of a dead service",
  stale_instance_kept: "could not clean up after a dead service",
};

/** Prepares the installed Codex for this service: binary, home, catalog, environment. */
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
  #tokens: string | null = null;
  #expectsLogin = false;
  #closing: Promise<void> | null = null;
  readonly #lifetime = new AbortController();
  readonly accountBase: AccountBase;
  readonly network: NetworkDiagnosis;

  constructor(options: CodexInstallationOptions, clientVersion: string, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    const { environment, userHome: userCodexHome, config: codexConfig } = options;
    this.network = new NetworkDiagnosis({
      environment,
      findBackend: () => findModelBackend({ userCodexHome, codexConfig }),
      now: () => performance.now(),
      logger,
    });
    this.accountBase = new AccountBase({
      clientVersion,
      ask: askAccount,
      signal: this.#lifetime.signal,
      routings: new KeptRoutings(join(options.stateDir, "account-routings.json"), logger),
      wallClock: Date.now,
      ...(options.managedConfigurationEveryMs !== undefined && {
        renewEveryMs: options.managedConfigurationEveryMs,
      }),
      logger,
    });
  }

  /** This service's instance directory; null before `open` and after `close`. */
  get directory(): string | null {
    return this.#open?.instance.path ?? null;
  }

  /** Where and how to find the binary. */
  get search(): FindCodexBinaryOptions {
    const { bin, environment } = this.#options;
    return { configured: bin, env: environment, timeoutMs: versionTimeoutMs, signal: this.#lifetime.signal };
  }

  /** The binary of the latest app-server; null before the first. */
  get binary(): RunningBinary | null {
    return this.#binary;
  }

  /** The home of the latest app-server; null before the first. */
  get home(): PreparedCodexHome | null {
    return this.#home;
  }

  /**
   * Values from Codex's own catalog that the latest app-server's derived catalog overwrites; null if it has no derived
   * catalog.
   */
  get catalog(): readonly CatalogEntry[] | null {
    return this.#catalog?.models ?? null;
  }

  /** Catalogs for single threads of the latest app-server, by prompt form; null if it has no derived catalog. */
  get catalogPaths(): RenderedCatalog["paths"] | null {
    return this.#catalog?.paths ?? null;
  }

  /** The user's login file. Codex may keep the login in a keyring instead. */
  get authFile(): string {
    return join(this.#options.userHome, "auth.json");
  }

  /** Digest of the login that the latest app-server was prepared with; null if logged out. */
  get login(): string | null {
    return this.#login;
  }

  /** Digest of the tokens in the login file when the latest app-server was prepared; null if there were none. */
  get tokens(): string | null {
    return this.#tokens;
  }

  /** Sets whether the next preparation waits for a missing login file. */
  expectLogin(expected: boolean): void {
    this.#expectsLogin = expected;
  }

  /** Names of the features that are missing. */
  get degraded(): readonly string[] {
    return [...this.#degraded];
  }

  /**
   * Takes an instance directory and ends the processes that a killed supervisor left behind. Later calls return the same
   * result; after a failure, another call tries again. Rejects after `close`.
   */
  async open(): Promise<OpenInstallation> {
    this.#lifetime.signal.throwIfAborted();
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
   * Prepares one more app-server: finds the binary, repairs the login link, re-reads the user's configuration, renders the
   * catalog. Rejects with `native_runtime_unavailable` and a message that says what to do.
   *
   * @param previousFailure stderr of the last app-server if it failed to start; null otherwise.
   * @param spawnsLater whether further processes will be started later with the same command.
   */
  async prepare(previousFailure: string | null, spawnsLater = false): Promise<SpawnSpec> {
    const { instance } = await this.open();
    const { signal } = this.#lifetime;
    const { stopStepMs } = this.#options;
    await this.#refuseCertificateFile();
    await this.network.checkProxy();
    const found = await findCodexBinary(this.search);
    const binary = { ...found, file: await identifyFile(found.path) };
    const home = await this.#prepareHome(instance, binary, previousFailure).catch((error: unknown) => {
      throw describeStateFault(error);
    });
    signal.throwIfAborted();
    this.#binary = binary;
    this.#home = home;
    // Read before the app-server reads them: newer ones that it has too cost a needless takeover, older ones would prevent one.
    this.#tokens = (await readLoginDigests(home.authFile))?.tokens ?? null;
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
      home: home.mode === "isolated" && !spawnsLater ? home.path : null,
      codexVersion: binary.version,
      baseUrl: home.accountBaseUrl,
      isBaseGiven: Object.hasOwn(config, "chatgpt_base_url"),
      spawn: buildSpawnSpec({ binary, configArgs, cwd, env, modelCatalogPath, stopStepMs }),
    });
  }

  /** Checks the disk. Only for the service's own home: the user's home always counts as intact, with no logs. */
  async inspect(): Promise<InstallationState> {
    const home = this.#home;
    const work = this.#open?.instance.work;
    if (home === null || home.mode === "user" || work === undefined) return { intact: true, logBytes: 0 };
    try {
      await Promise.all([access(join(home.path, "config.toml")), access(work)]);
      return { intact: true, logBytes: await measureLogDatabase(home.path) };
    } catch (error) {
      // Other errors, for example too many open files, may pass by themselves.
      const gone = isSystemError(error, "ENOENT") || isSystemError(error, "ENOTDIR");
      return { intact: !gone, logBytes: 0 };
    }
  }

  /** Aborts running preparations, which then reject, and prevents new ones. */
  stopPreparing(): void {
    this.#lifetime.abort(closingError());
  }

  /** Waits for a running `open` and releases the instance directory. Call when every child has ended. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.stopPreparing();
    // A failure has already rejected the call of `open`.
    const open = await this.#opening?.catch(() => null);
    await this.accountBase.close();
    this.#open = null;
    await open?.instance.close().catch((error: unknown) => {
      // The directory keeps its name, which shows the next start that its owner is dead.
      this.#logger.warn(
        { event: "state_directory.not_released", err: error },
        "could not release this instance's place in the state directory",
      );
    });
  }

  /** Codex would start, send no request and not say why. */
  async #refuseCertificateFile(): Promise<void> {
    const file = await findCertificateFileFault(this.#options.environment);
    if (file === null) return;
    const { found, advice } = describeBackendFault({ kind: "certificate_file", file }, null);
    throw unavailable(`${found} ${advice}`);
  }

  async #prepareHome(
    instance: InstanceDirectory,
    { version: codexVersion }: CodexBinary,
    previousFailure: string | null,
  ): Promise<PreparedCodexHome> {
    const { homeMode, userHome, config, patientProvider = true, silenceLimitMs } = this.#options;
    await instance.repair();
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
      login: this.#login,
      directory: instance.catalogs,
      cacheMaxAgeMs: catalogMaxAgeMs,
      wallClock: Date.now,
      timeoutMs: catalogTimeoutMs,
      signal: this.#lifetime.signal,
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
