import type { Logger } from "pino";
import { z } from "zod";
import { hasFeature } from "../../workers/contract/codex-capabilities.js";
import type { FormSettings, PromptForm, ThreadSettings, TurnProfile } from "../../workers/contract/turn.js";
import type { CatalogEntry } from "./app-server/catalog-cache.js";
import { AccountDigest, KeptRecords, longestKey } from "./kept-records.js";
import { hasAnswered, isFormRefusal } from "./leg-verdicts.js";
import type { LegResult } from "./turn-session.js";
import type { PromptFormHealth } from "./types.js";

/** How long another form than the model's own is kept to, in milliseconds: what a backend takes may change. */
const rememberedForMs = 24 * 60 * 60_000;
/** A form that answered so lately is doubted for this many refusals in a row, in milliseconds: fewer are the requests' own fault. */
const trustedForMs = 10 * 60_000;
const refusalsToDoubt = 3;
/** How often a form that has answered before is doubted at most, in milliseconds: requests may be bad without end. */
const doubtedEveryMs = 60_000;
/** Models whose standing is known. Their names may be any text where a provider of the user's serves them. */
const maxModels = 256;

/**
 * What the form of a prompt depends on. Responses Lite has no web search of the backend's: Codex offers the model a function of its own in
 * its place, whose results are no items and no citations. So prompts with web search have the older form first.
 */
export type FormSubject = Pick<ThreadSettings, "model" | "webSearch">;

/** The Codex that runs turns now. */
export interface FormsOfCodex {
  readonly version: string | null;
  readonly accountId: string | null;
  /** What its own catalog says of models; null where that is in force, unread. */
  readonly catalog: readonly CatalogEntry[] | null;
  /** By form, the catalog that gives it to a single thread; null where there is none. */
  readonly catalogPaths: Readonly<Record<PromptForm, string>> | null;
}

export interface PromptFormsOptions {
  readonly profile: TurnProfile;
  /** Where what was learned outlives the process; null keeps it in memory. */
  readonly file: string | null;
  readonly codex: () => FormsOfCodex;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly logger: Logger;
}

/** What is known of one model, with web search or without, on one account and version. */
interface Standing {
  /** The form that answered last. */
  form: PromptForm;
  /** When it was learned that this is not the model's own form, by the wall clock; null where it is. */
  learnedAtMs: number | null;
  /** Null: before this process. */
  answeredAtMs: number | null;
  refusalsSince: number;
  doubtedAtMs: number;
}

const recordSchema = z.object({ form: z.enum(["lean", "lean_lite", "codex"]), learnedAtMs: z.number() });

/** The forms that one turn was tried in, and how the first of them ended. */
export class FormTrial<Ended> {
  readonly tried = new Set<PromptForm>();
  #first: Ended | null = null;

  /** How the turn ended in its first form, which is its caller's answer unless another form answers; null: in this one. */
  get first(): Ended | null {
    return this.#first;
  }

  note(form: PromptForm, ended: Ended): void {
    this.tried.add(form);
    this.#first ??= ended;
  }
}

/**
 * Which form the prompts of each model have. The catalog marks models for Responses Lite, and the backend may take the marked form, the
 * other or neither; reports about it disagree (anomalyco/opencode#36140, openai/codex#30912). So a form is judged by whether it
 * answers, never by how it is refused, and one that had to be found is kept to for a day.
 */
export class PromptForms {
  readonly #options: PromptFormsOptions;
  readonly #records: KeptRecords<z.infer<typeof recordSchema>>;
  /** By account, version and model; that which was used longest ago first. */
  readonly #standings = new Map<string, Standing>();
  #known: Readonly<Record<string, z.infer<typeof recordSchema>>> = {};
  readonly #digest = new AccountDigest();
  #changes = 0;

  constructor(options: PromptFormsOptions) {
    this.#options = options;
    const { file, logger } = options;
    const what = "the forms that models were found to take";
    this.#records = new KeptRecords({ file, value: recordSchema, event: "prompt_forms", what, logger });
  }

  async load(): Promise<void> {
    this.#known = await this.#records.load();
  }

  async close(): Promise<void> {
    await this.#records.close();
  }

  /** The form that a turn of this model is run in now: the one that was found, else its own; one that was not `tried`, if there is any. */
  choose(subject: FormSubject, tried: ReadonlySet<PromptForm> = untried): FormSettings {
    const codex = this.#options.codex();
    const forms = this.#list(subject, codex);
    const found = this.#find(subject)?.form;
    const inOrder = found !== undefined && forms.includes(found) ? [found, ...forms] : forms;
    const form = inOrder.find((each) => !tried.has(each)) ?? forms[0];
    const isMarked = isMarkedLite(subject, codex);
    const isLite = form === "codex" ? isMarked : form === "lean_lite";
    const { profile } = this.#options;
    const ofProcess = profile === "lean" && isMarked ? "lean_lite" : profile;
    const modelCatalog = form === ofProcess || !canVary(codex) ? null : (codex.catalogPaths?.[form] ?? null);
    return { form, isLite, modelCatalog };
  }

  /** Takes in how a leg of a turn ended. True: run it once more, in the form that `choose` gives then. */
  judge<Ended extends { readonly result: LegResult }>(
    thread: FormSubject & Pick<ThreadSettings, "form">,
    ended: Ended,
    trial: FormTrial<Ended>,
  ): boolean {
    const { result } = ended;
    const { form } = thread;
    if (hasAnswered(result)) this.#noteAnswer(thread, form);
    if (!isFormRefusal(result)) return false;
    if (trial.first === null && !this.#isDoubted(thread, form)) return false;
    trial.note(form, ended);
    return this.#list(thread, this.#options.codex()).some((each) => !trial.tried.has(each));
  }

  /** Models that do not have their own form, in this account and version. */
  health(): readonly PromptFormHealth[] {
    const prefix = this.#prefix();
    return Object.entries(this.#remembered())
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { form, learnedAtMs }]) => {
        const name = key.slice(prefix.length);
        const webSearch = name.endsWith(webSearchSuffix);
        const model = webSearch ? name.slice(0, -webSearchSuffix.length) : name;
        return { model, webSearch, form, learnedAtMs };
      });
  }

  /** How often another form than before was found to answer. */
  get changes(): number {
    return this.#changes;
  }

  /** Those that this model can have, its own first. */
  #list(subject: FormSubject, codex: FormsOfCodex): readonly [PromptForm, ...PromptForm[]] {
    const { profile } = this.#options;
    if (profile === "codex" || codex.catalog === null) return [profile];
    if (!canVary(codex)) return ["lean", "codex"];
    const isLiteFirst = isMarkedLite(subject, codex) && subject.webSearch === null;
    return isLiteFirst ? ["lean_lite", "lean", "codex"] : ["lean", "lean_lite", "codex"];
  }

  #find(subject: FormSubject): Standing | null {
    const key = this.#keyOf(subject);
    const standing = this.#standings.get(key) ?? this.#recall(key);
    if (standing === null) return null;
    const ageMs = this.#options.wallClock() - (standing.learnedAtMs ?? Number.POSITIVE_INFINITY);
    // A clock that was set back makes it old, not young.
    if (standing.learnedAtMs === null || (ageMs >= 0 && ageMs < rememberedForMs)) return standing;
    this.#standings.delete(key);
    return null;
  }

  #recall(key: string): Standing | null {
    const record = this.#known[key];
    if (record === undefined) return null;
    const { [key]: _taken, ...others } = this.#known;
    this.#known = others;
    return this.#keep(key, { ...noStanding, ...record });
  }

  /** A form that has answered is trusted for a while, and doubted only so often. */
  #isDoubted(subject: FormSubject, form: PromptForm): boolean {
    const standing = this.#find(subject);
    if (standing === null || standing.form !== form) return true;
    const nowMs = this.#options.now();
    standing.refusalsSince += 1;
    const isTrusted = standing.answeredAtMs !== null && nowMs - standing.answeredAtMs < trustedForMs;
    if (isTrusted && standing.refusalsSince < refusalsToDoubt) return false;
    if (nowMs - standing.doubtedAtMs < doubtedEveryMs) return false;
    standing.doubtedAtMs = nowMs;
    return true;
  }

  #noteAnswer(subject: FormSubject, form: PromptForm): void {
    const [own] = this.#list(subject, this.#options.codex());
    const key = this.#keyOf(subject);
    const known = this.#find(subject);
    const former = known?.form ?? own;
    const standing = known ?? this.#keep(key, { ...noStanding, form });
    standing.answeredAtMs = this.#options.now();
    standing.refusalsSince = 0;
    if (form === former) return;
    standing.form = form;
    standing.learnedAtMs = form === own ? null : this.#options.wallClock();
    this.#changes += 1;
    const { model } = subject;
    this.#options.logger.warn(
      { event: "prompt_form.changed", model, former, form },
      `the backend refused ${model} in the ${former} form and answered in the ${form} form, which its prompts have now`,
    );
    this.#records.saveSoon(() => this.#remembered());
  }

  #keep(key: string, standing: Standing): Standing {
    this.#standings.delete(key);
    this.#standings.set(key, standing);
    const [oldest] = this.#standings.keys();
    if (this.#standings.size > maxModels && oldest !== undefined) this.#standings.delete(oldest);
    return standing;
  }

  /** What is kept in the file: only that which is not as the catalog has it. */
  #remembered(): Readonly<Record<string, z.infer<typeof recordSchema>>> {
    const nowMs = this.#options.wallClock();
    const current = [...this.#standings].flatMap(([key, { form, learnedAtMs }]) =>
      learnedAtMs === null ? [] : [[key, { form, learnedAtMs }] as const],
    );
    const all = [...Object.entries(this.#known), ...current];
    const kept = all.filter(
      ([key, { learnedAtMs }]) => key.length <= longestKey && nowMs - learnedAtMs < rememberedForMs,
    );
    return Object.fromEntries(kept.slice(-maxModels));
  }

  #keyOf({ model, webSearch }: FormSubject): string {
    return `${this.#prefix()}${model}${webSearch === null ? "" : webSearchSuffix}`;
  }

  #prefix(): string {
    const { version, accountId } = this.#options.codex();
    return `${this.#digest.of(accountId)} ${version ?? ""} `;
  }
}

const webSearchSuffix = " web_search";

const untried: ReadonlySet<PromptForm> = new Set();

const noStanding = {
  learnedAtMs: null,
  answeredAtMs: null,
  refusalsSince: 0,
  doubtedAtMs: Number.NEGATIVE_INFINITY,
} as const;

function isMarkedLite({ model }: FormSubject, codex: FormsOfCodex): boolean {
  const { catalog } = codex;
  return canVary(codex) && catalog?.find(({ id }) => id === model)?.usesResponsesLite === true;
}

/** Whether a thread can have another catalog than its app-server. */
function canVary({ version, catalogPaths }: FormsOfCodex): boolean {
  return catalogPaths !== null && hasFeature(version, "prompt_forms");
}
