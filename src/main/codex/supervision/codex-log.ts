/** Logs the state of Codex: whether it runs, which binary, and when the binary or the default model has changed. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { CodexNativeApiError } from "../../errors.js";
import type { NativeAccount, NativeModel } from "../../runtime/types.js";
import {
  type CodexBinary,
  type FindCodexBinaryOptions,
  findCodexBinary,
  identifyFile,
  locateCodexBinary,
} from "../binary/codex-binary.js";
import { writePrivateFile } from "../home/private-files.js";
import type { DownAppServer } from "../process/app-server-source.js";
import type { ConnectionChange, WorkerSlot } from "../workers/worker-slot.js";

/** The binary of the app-server that runs. */
export interface RunningBinary extends CodexBinary {
  /** The result of `identifyFile` when it was started. */
  readonly file: string | null;
}

/** What to log about a Codex that is ready. */
export interface ReadyCodex {
  readonly codexVersion: string | null;
  readonly account: NativeAccount | null;
  readonly transport: string;
  readonly profile: string;
  readonly models: readonly NativeModel[];
}

export interface CodexLogOptions {
  /** Null before the first app-server, and if somebody else runs it. */
  readonly running: () => RunningBinary | null;
  readonly search: FindCodexBinaryOptions;
  /** Directory that keeps the default model for the next run; null while there is none. */
  readonly directory: () => string | null;
  readonly logger: Logger;
}

const fileName = "default-model";
/** A longer id in the file is ignored: this service did not write it. */
const maxIdChars = 200;

export class CodexLog {
  readonly #options: CodexLogOptions;
  /** The replaced file that was logged last, `gone` if it was missing; null while the running binary is in place. */
  #reportedFile: string | null = null;
  #checking = false;
  #wasUp = false;
  /** The last logged reason why there is no app-server; null while there is one. */
  #downReason: string | null = null;
  #model: string | null = null;
  #noted: Promise<void> = Promise.resolve();

  constructor(options: CodexLogOptions) {
    this.#options = options;
  }

  ready({ codexVersion, account, transport, profile, models }: ReadyCodex): void {
    const { running, logger } = this.#options;
    const binary = running();
    logger.info(
      {
        event: "codex.ready",
        binary: binary?.path,
        found: binary?.source,
        codexVersion,
        account: account?.email ?? account?.authMode,
        plan: account?.plan,
        transport,
        profile,
        models: models.length,
      },
      "Codex is ready",
    );
  }

  appServerReady(generation: number, pid: number | null): void {
    this.#wasUp = true;
    this.#downReason = null;
    if (pid === null) return;
    this.#options.logger.info({ event: "app_server.started", generation, pid }, "app-server started");
  }

  connection({ id, generation }: WorkerSlot, change: ConnectionChange): void {
    const fields = { event: "worker.connection", worker: id, generation, ...change };
    this.#options.logger.debug(fields, "worker connection");
  }

  appServerDown({ generation, reason, retryInMs, isPlanned, exhausted, stderrTail }: DownAppServer): void {
    const { logger } = this.#options;
    const fields = {
      event: "app_server.down",
      generation,
      reason,
      retryInMs,
      isPlanned,
      exhausted,
      ...(stderrTail !== null && { stderrTail }),
    };
    const text = `app-server down: ${reason}`;
    // A lasting fault repeats every few seconds, so log it once at error level. `startFailed` logs the first one.
    const isFirst = this.#downReason === null && !this.#wasUp && !stderrTail;
    if (isFirst || reason === this.#downReason) logger.debug(fields, text);
    // One that has to wait for the next is an outage, whoever asked for it.
    else if (isPlanned && !exhausted) logger.info(fields, text);
    else logger.error(fields, text);
    this.#downReason = reason;
  }

  /** Until somebody repairs the directory, one worker with a process of its own runs all turns. */
  socketDirectoryRefused(fault: string): void {
    this.#options.logger.error(
      { event: "app_server.socket_directory_refused", fault },
      `one worker with its own app-server runs all turns until you repair this and restart the service: ${fault}`,
    );
  }

  /**
   * Logs a failed start and returns the reason to show callers. Logs a stack only for unexpected errors; others say what to
   * do.
   */
  startFailed(error: unknown): string {
    const { logger } = this.#options;
    if (!(error instanceof CodexNativeApiError) || error.code === "internal_error") {
      const reason = "Codex could not be started; the log says why.";
      logger.error({ event: "app_server.start_failed", err: error }, reason);
      return reason;
    }
    logger.error({ event: "app_server.start_failed" }, error.message);
    logger.debug({ event: "app_server.start_fault", err: error }, "cause of the failed start");
    return error.message;
  }

  /** Checks the binary on disk and logs each replacement once. Never rejects. */
  async checkBinary(): Promise<void> {
    const binary = this.#options.running();
    if (binary === null || this.#checking) return;
    this.#checking = true;
    try {
      await this.#compare(binary);
    } finally {
      this.#checking = false;
    }
  }

  async #compare(binary: RunningBinary): Promise<void> {
    const { search, logger } = this.#options;
    const located = await locateCodexBinary(search).catch(() => null);
    const file = located === null ? null : await identifyFile(located.path);
    if (file === binary.file) {
      this.#reportedFile = null;
      return;
    }
    if ((file ?? "gone") === this.#reportedFile) return;
    if (file === null) {
      logger.warn(
        { event: "codex.binary_gone", binary: binary.path, running: binary.version },
        "the Codex binary no longer exists: the running Codex continues, but cannot be restarted; install Codex",
      );
    } else {
      // The new binary may be only half written; the next check sees it again.
      const found = await findCodexBinary(search).catch(() => null);
      if (found === null) return;
      logger.warn(
        { event: "codex.binary_replaced", binary: found.path, running: binary.version, found: found.version },
        `Codex ${binary.version} runs, but ${found.version} is installed now: restart to use it`,
      );
    }
    this.#reportedFile = file ?? "gone";
  }

  /** Call when Codex has listed its models. Logs a change of the default model. Never rejects. */
  noteModels(models: readonly NativeModel[]): Promise<void> {
    const model = models.find(({ isDefault }) => isDefault)?.id;
    if (model === undefined) return this.#noted;
    this.#noted = this.#noted.then(() => this.#noteDefault(model));
    return this.#noted;
  }

  async #noteDefault(model: string): Promise<void> {
    const directory = this.#options.directory();
    const path = directory === null ? null : join(directory, fileName);
    const before = this.#model ?? (await readId(path));
    if (before === model) {
      this.#model = model;
      return;
    }
    if (before !== null) {
      this.#options.logger.warn(
        { event: "codex.default_model_changed", before, model },
        `Codex's default model is now ${model} (before: ${before}); requests without a model use it unless one is configured`,
      );
    }
    this.#model = model;
    // If the write fails, only the next run's log line about a change is lost.
    if (path !== null) await writePrivateFile(path, `${model}\n`).catch(() => undefined);
  }
}

async function readId(path: string | null): Promise<string | null> {
  if (path === null) return null;
  const id = (await readFile(path, "utf8").catch(() => "")).trim();
  return id === "" || id.length > maxIdChars ? null : id;
}
