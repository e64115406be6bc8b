/** Tells the log which Codex is ready, and where it became another under the service, or since its last run. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { CodexNativeApiError } from "../errors.js";
import {
  type CodexBinary,
  type FindCodexBinaryOptions,
  findCodexBinary,
  identifyFile,
  locateCodexBinary,
} from "./app-server/codex-binary.js";
import { writePrivateFile } from "./app-server/private-files.js";
import type { NativeAccount, NativeModel } from "./types.js";

/** The binary of the app-server that runs. */
export interface RunningBinary extends CodexBinary {
  /** What `identifyFile` said when it was started. */
  readonly file: string | null;
}

/** What is known of a Codex that has said who is logged in. */
export interface ReadyCodex {
  readonly codexVersion: string | null;
  readonly account: NativeAccount | null;
  readonly transport: string;
  readonly profile: string;
  readonly models: readonly NativeModel[];
}

export interface CodexLogOptions {
  /** Null before the first app-server, and where that is not ours to start. */
  readonly running: () => RunningBinary | null;
  readonly search: FindCodexBinaryOptions;
  /** Where the default model of the last run is remembered; null while there is no such place. */
  readonly directory: () => string | null;
  readonly logger: Logger;
}

const fileName = "default-model";
/** No model id is longer; what is, is no file of ours. */
const maxIdChars = 200;

export class CodexLog {
  readonly #options: CodexLogOptions;
  /** The file that was told of last, `gone` where there was none; null while the one that runs is in its place. */
  #told: string | null = null;
  #checking = false;
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

  /** Gives the reason that callers are shown, which says what to do where that was foreseen: a stack then helps nobody. */
  startFailed(error: unknown): string {
    const { logger } = this.#options;
    if (!(error instanceof CodexNativeApiError) || error.code === "internal_error") {
      const reason = "Codex could not be started; the log says why.";
      logger.error({ event: "app_server.start_failed", err: error }, reason);
      return reason;
    }
    logger.error({ event: "app_server.start_failed" }, error.message);
    logger.debug({ event: "app_server.start_fault", err: error }, "what the start failed with");
    return error.message;
  }

  /** One look at the disk. Never rejects. A binary that takes another's place is told once. */
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
      this.#told = null;
      return;
    }
    if ((file ?? "gone") === this.#told) return;
    if (file === null) {
      logger.warn(
        { event: "codex.binary_gone", binary: binary.path, running: binary.version },
        "the Codex binary is gone: the one that runs goes on, and cannot be started again; install Codex",
      );
    } else {
      // Half of it may be there yet: the next look finds more.
      const found = await findCodexBinary(search).catch(() => null);
      if (found === null) return;
      logger.warn(
        { event: "codex.binary_replaced", binary: found.path, running: binary.version, found: found.version },
        `Codex ${binary.version} runs and ${found.version} has taken its place on disk: restart to use it`,
      );
    }
    this.#told = file ?? "gone";
  }

  /** Codex said which models there are. Never rejects. */
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
        `Codex's default model is ${model} now and was ${before}; requests that name none run on it unless one is configured`,
      );
    }
    this.#model = model;
    // A full disk costs the next run this line, and nothing else.
    if (path !== null) await writePrivateFile(path, `${model}\n`).catch(() => undefined);
  }
}

async function readId(path: string | null): Promise<string | null> {
  if (path === null) return null;
  const id = (await readFile(path, "utf8").catch(() => "")).trim();
  return id === "" || id.length > maxIdChars ? null : id;
}
