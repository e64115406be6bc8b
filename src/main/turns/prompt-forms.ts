import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import { z } from "zod";
import { hasFeature } from "../../workers/contract/codex-capabilities.js";
import type { FormSettings, PromptForm, ThreadSettings, TurnProfile } from "../../workers/contract/turn.js";
import type { CatalogEntry } from "../codex/catalog/catalog-cache.js";
import { AccountDigest, KeptRecords, longestKey } from "../codex/home/kept-records.js";
import type { PromptFormHealth } from "../runtime/types.js";
import { hasAnswered, isFormRefusal } from "./segment-verdicts.js";
import type { SegmentResult } from "./turn-session.js";

/** How long another form than the model's own is kept to, in milliseconds: what a backend takes may change. */
const rememberedForMs = 24 * 60 * 60_000;
/** How long an answer vouches for its form, in milliseconds. */
const trustedForMs = 10 * 60_000;
/** So many refusals in a row make a trusted form doubtful; fewer are the requests' own fault. */
const refusalsToDoubt = 3;
/**
 * Bounds on what the doubts of one caller cost, for its requests may be bad without end: so many at once, and after so many in a row that
 * found nothing, one in so many milliseconds. Another caller's doubts are its own.
 */
const doubts = { atOnce: 8, inVain: 3, everyMs: 5_000, longestMs: 60_000 } as const;
/** Models whose standing is known, and callers whose doubts are. Names may be any text where a provider of the user's serves models. */
const maxKept = 256;

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

/** A segment that is over. */
type RanIn = FormSubject & Pick<ThreadSettings, "form"> & { readonly accountId: string | null };

/** What is known of one model, with web search or without, on one account and version. */
interface Standing {
  /** The form that answered last. */
  form: PromptForm;
  /** When it was learned that this is not the model's own form, by the wall clock; null where it is. */
  learnedAtMs: number | null;
  /** Null: before this process. */
  answeredAtMs: number | null;
  refusalsSince: number;
}

/** A doubt that is not over. */
export interface Doubt {
  readonly doubts: Doubts;
  readonly begunAtMs: number;
}

/** What the doubts of one caller about one model came to. */
interface Doubts {
  readonly open: Set<Doubt>;
  /** In a row, since one found a form that answers. */
  inVain: number;
  lastAtMs: number;
}

const recordSchema = z.object({ form: z.enum(["lean", "lean_lite", "codex"]), learnedAtMs: z.number() });

/** What is known here of a turn's trial. */
interface Trial {
  readonly caller: string;
  readonly tried: Set<PromptForm>;
  doubt: Doubt | null;
}

/**
 * Which form the prompts of each model have. The catalog marks models for Responses Lite, and the backend may take the marked form, the
 * other or neither; reports about it disagree (anomalyco/opencode#36140, openai/codex#30912). So a form is judged by whether it
 * answers, never by how it is refused, and one that had to be found is kept to for a day.
 */
export class PromptForms {
  readonly #options: PromptFormsOptions;
  readonly #records: KeptRecords<z.infer<typeof recordSchema>>;
  /** By account, version and model. */
  readonly #standings = new LRUCache<string, Standing>({ max: maxKept });
  /** By the same and caller. */
  readonly #doubts = new LRUCache<string, Doubts>({ max: maxKept });
  /** Of earlier processes, and not asked for yet. */
  #known = new Map<string, z.infer<typeof recordSchema>>();
  readonly #digest = new AccountDigest();
  #changes = 0;

  constructor(options: PromptFormsOptions) {
    this.#options = options;
    const { file, logger } = options;
    const what = "the forms that models were found to take";
    this.#records = new KeptRecords({ file, value: recordSchema, event: "prompt_forms", what, logger });
  }

  async load(): Promise<void> {
    this.#known = new Map(Object.entries(await this.#records.load()).slice(-maxKept));
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

  /** Takes in how a segment of a turn ended. True: run it once more, in the form that `choose` gives then. */
  judge(ran: RanIn, result: SegmentResult, trial: Trial): boolean {
    // What another account was answered says nothing of this one.
    const isOfAccount = ran.accountId === this.#options.codex().accountId;
    if (isOfAccount && hasAnswered(result)) this.#noteAnswer(ran, trial.doubt !== null);
    if (!isOfAccount || !isFormRefusal(result)) {
      this.endTrial(trial, hasAnswered(result));
      return false;
    }
    if (trial.doubt === null && !this.#doubt(ran, trial)) return false;
    trial.tried.add(ran.form);
    const isGoingOn = this.#list(ran, this.#options.codex()).some((each) => !trial.tried.has(each));
    if (!isGoingOn) this.endTrial(trial, false);
    return isGoingOn;
  }

  /** A turn that was tried in several forms is over, or given up. Calling it again does nothing. */
  endTrial(trial: Pick<Trial, "doubt">, hasFound: boolean): void {
    const { doubt } = trial;
    if (doubt === null) return;
    trial.doubt = null;
    doubt.doubts.open.delete(doubt);
    doubt.doubts.inVain = hasFound ? 0 : doubt.doubts.inVain + 1;
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
    const { learnedAtMs } = standing;
    if (learnedAtMs === null || isInForce(this.#options.wallClock() - learnedAtMs)) return standing;
    this.#standings.delete(key);
    return null;
  }

  #recall(key: string): Standing | null {
    const record = this.#known.get(key);
    if (record === undefined) return null;
    this.#known.delete(key);
    const standing = { ...noStanding, ...record };
    this.#standings.set(key, standing);
    return standing;
  }

  /** Whether a refusal in this form may mean the form; a form that has answered is trusted for a while. */
  #doubt(ran: RanIn, trial: Trial): boolean {
    const standing = this.#find(ran);
    const nowMs = this.#options.now();
    if (standing !== null && standing.form === ran.form) {
      standing.refusalsSince += 1;
      const isTrusted = standing.answeredAtMs !== null && nowMs - standing.answeredAtMs < trustedForMs;
      if (isTrusted && standing.refusalsSince < refusalsToDoubt) return false;
    }
    const ofCaller = this.#doubtsOf(`${this.#keyOf(ran)} ${trial.caller}`);
    for (const open of ofCaller.open) {
      // Its turn was given up before it could be told.
      if (nowMs - open.begunAtMs >= doubts.longestMs) ofCaller.open.delete(open);
    }
    if (ofCaller.open.size >= doubts.atOnce) return false;
    if (ofCaller.inVain >= doubts.inVain && nowMs - ofCaller.lastAtMs < doubts.everyMs) return false;
    ofCaller.lastAtMs = nowMs;
    trial.doubt = { doubts: ofCaller, begunAtMs: nowMs };
    ofCaller.open.add(trial.doubt);
    return true;
  }

  #doubtsOf(key: string): Doubts {
    const kept = this.#doubts.get(key) ?? { open: new Set(), inVain: 0, lastAtMs: Number.NEGATIVE_INFINITY };
    this.#doubts.set(key, kept);
    return kept;
  }

  /** `wasSought`: in another form the same turn was refused. An answer that comes late in a former form changes nothing. */
  #noteAnswer(ran: RanIn, wasSought: boolean): void {
    const { model, form } = ran;
    const [own] = this.#list(ran, this.#options.codex());
    const key = this.#keyOf(ran);
    const known = this.#find(ran);
    const former = known?.form ?? own;
    if (form !== former && !wasSought) return;
    const standing = known ?? { ...noStanding, form };
    this.#standings.set(key, standing);
    standing.answeredAtMs = this.#options.now();
    standing.refusalsSince = 0;
    if (form === former) return;
    standing.form = form;
    standing.learnedAtMs = form === own ? null : this.#options.wallClock();
    this.#changes += 1;
    this.#options.logger.warn(
      { event: "prompt_form.changed", model, former, form },
      `the backend refused ${model} in the ${former} form and answered in the ${form} form, which its prompts use from now on`,
    );
    this.#records.saveSoon(() => this.#remembered());
  }

  /** What is kept in the file: only that which is not as the catalog has it. */
  #remembered(): Readonly<Record<string, z.infer<typeof recordSchema>>> {
    const nowMs = this.#options.wallClock();
    const current = [...this.#standings.entries()]
      .reverse()
      .flatMap(([key, { form, learnedAtMs }]) =>
        learnedAtMs === null ? [] : [[key, { form, learnedAtMs }] as const],
      );
    const all = [...this.#known, ...current];
    const kept = all.filter(
      ([key, { learnedAtMs }]) => key.length <= longestKey && isInForce(nowMs - learnedAtMs),
    );
    return Object.fromEntries(kept.slice(-maxKept));
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

const noStanding = { learnedAtMs: null, answeredAtMs: null, refusalsSince: 0 } as const;

/** A clock that was set back makes what was learned old, not young. */
function isInForce(ageMs: number): boolean {
  return ageMs >= 0 && ageMs < rememberedForMs;
}

function isMarkedLite({ model }: FormSubject, codex: FormsOfCodex): boolean {
  const { catalog } = codex;
  return canVary(codex) && catalog?.find(({ id }) => id === model)?.usesResponsesLite === true;
}

/** Whether a thread can have another catalog than its app-server. */
function canVary({ version, catalogPaths }: FormsOfCodex): boolean {
  return catalogPaths !== null && hasFeature(version, "prompt_forms");
}
