/** What a turn puts into its native thread before the model answers: one plain text as the turn's own input, or injected items. */
import { z } from "zod";
import { PackedList } from "../app-server/packed-list.js";
import { wasTested } from "../contract/codex-capabilities.js";
import { type ItemChunk, itemTraits, readChunk } from "../contract/item-chunk.js";
import { type JsonObject, mayHoldHalves, mendTexts } from "../contract/json.js";
import type { Pace } from "../contract/pace.js";
import type { NativeThreadChoice, ThreadSettings, TurnAssignment } from "../contract/turn.js";
import { splitLastStep } from "./last-step.js";
import type { ToolNames } from "./tool-names.js";

/** What a turn injects: `leading`, under Codex's names already, then the items, with the directives before their last step. */
export interface Injection extends Pick<TurnAssignment, "items" | "directives"> {
  readonly leading: readonly JsonObject[];
}

/** The turn's input on this thread. `text` is null where everything is injected. */
export function splitInput(
  assignment: Pick<TurnAssignment, "thread" | "items" | "directives">,
  nativeThread: NativeThreadChoice,
  names: ToolNames,
  codexVersion: string | null,
): { readonly text: string | null; readonly injection: Injection } {
  const text = nativeThread.kind === "continued" ? null : plainTextOf(assignment, codexVersion);
  const { items, directives } = text === null ? assignment : { items: [], directives: [] };
  const { additionalTools } = names;
  const offered = additionalTools === null || nativeThread.kind === "continued" ? [] : [additionalTools];
  const leading = [...missingInstructions(assignment.thread, nativeThread), ...offered];
  return { text, injection: { leading, items, directives } };
}

/** Codex reads `$name` in a person's text as a call for a skill, `@name` for a plugin. */
const codexReadsMore = /[$@]/;

/** A longer text gains nothing by it, and is not read only to find out. */
const maxPlainBytes = 64 * 1024;

const plainMessage = z.strictObject({
  type: z.literal("message"),
  role: z.literal("user"),
  content: z.tuple([z.strictObject({ type: z.literal("input_text"), text: z.string() })]),
});

/**
 * The text of a history that is one plain message of the user's, for Codex to take as the turn's own input, which saves a fifth
 * of a short turn. Null where Codex would, or might, make more of it than a message: then it is injected like any
 * other item. `test/e2e/plain-text.test.ts` compares both ways.
 */
export function plainTextOf(
  { items, directives }: Pick<TurnAssignment, "items" | "directives">,
  codexVersion: string | null,
): string | null {
  const [chunk, ...others] = items;
  if (chunk?.count !== 1 || others.length > 0 || directives.length > 0) return null;
  // 0.140 puts its own context elsewhere in the `codex` profile; a version that was not tested may read more into a text.
  if (chunk.json.length > maxPlainBytes || !wasTested(codexVersion, 0, 150)) return null;
  const text = plainMessage.safeParse(readChunk(chunk)[0]).data?.content[0].text ?? "";
  return text === "" || codexReadsMore.test(text) ? null : text;
}

/**
 * The instructions of a turn as its first item, where its thread does not bring them: one that was blank, any of Responses Lite, and any in
 * the `codex` form, where Codex's own instructions stay and the caller's come after them.
 */
function missingInstructions(
  { instructions, form }: ThreadSettings,
  nativeThread: NativeThreadChoice,
): readonly JsonObject[] {
  if (instructions === "" || nativeThread.kind === "continued") return [];
  const isMissing = form !== "lean" || (nativeThread.kind === "spare" && nativeThread.lacksInstructions);
  if (!isMissing) return [];
  return [{ type: "message", role: "developer", content: [{ type: "input_text", text: instructions }] }];
}

/**
 * Bounds on what is injected by one call: an item costs Codex a tenth of a millisecond and more, and it answers a call when it has
 * taken all of it.
 */
const atOnce = { items: 2_000, bytes: 4 * 1024 * 1024 } as const;

/** A turn's items under Codex's names, as much at a time as one call should bring it. The event loop may run between chunks. */
export async function* injectableItems(
  injection: Injection,
  names: ToolNames,
  pace: Pace,
): AsyncGenerator<PackedList> {
  let batch: Uint8Array[] = [];
  let count = 0;
  let bytes = 0;
  for (const given of chunksOf(injection, names)) {
    const chunk = toNativeChunk(given, names);
    if (chunk.count === 0) continue;
    if (count > 0 && (count + chunk.count > atOnce.items || bytes + chunk.json.length > atOnce.bytes)) {
      yield new PackedList(batch);
      batch = [];
      count = 0;
      bytes = 0;
    }
    batch.push(chunk.json);
    count += chunk.count;
    bytes += chunk.json.length;
    if (pace.isDue) await pace.rest();
  }
  if (count > 0) yield new PackedList(batch);
}

function* chunksOf({ leading, items, directives }: Injection, names: ToolNames): Generator<ItemChunk> {
  if (leading.length > 0) yield pack(leading);
  if (directives.length === 0) return yield* items;
  // The last word is the caller's.
  const { before, last } = splitLastStep(items, pack);
  yield* before;
  yield pack(directives.map((directive) => names.toNativeDirective(directive)));
  yield* last;
}

/** Only a chunk with an item that Codex must get in another form, or not at all, is read: the tools of an item are offered with the others. */
function toNativeChunk(chunk: ItemChunk, names: ToolNames): ItemChunk {
  const otherForm = itemTraits.system | itemTraits.foreign | (names.changesCalls ? itemTraits.call : 0);
  if ((chunk.traits & otherForm) === 0) return chunk;
  const items = readChunk(chunk).filter(({ type }) => type !== "additional_tools");
  return pack(items.map((item) => toNative(item, names)));
}

/** Codex drops items of the role `system`; `developer` is what OpenAI's newer models call the same. */
function toNative(item: JsonObject, names: ToolNames): JsonObject {
  return item.role === "system" ? { ...item, role: "developer" } : names.toNativeItem(item);
}

const encoder = new TextEncoder();

function pack(items: readonly JsonObject[]): ItemChunk {
  return { json: encoder.encode(items.map(toReadableJson).join(",")), count: items.length, traits: 0 };
}

/** This service's own texts may quote the caller's, and so hold half a surrogate pair. */
function toReadableJson(item: JsonObject): string {
  const text = JSON.stringify(item);
  return mayHoldHalves(text) ? JSON.stringify(mendTexts(item)) : text;
}
