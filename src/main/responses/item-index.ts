import type { Owner } from "../continuation/owned-registry.js";
import type { CodexNativeApiContinuationRegistry, NewContinuationRecord } from "../continuation/types.js";
import { CodexNativeApiError } from "../errors.js";
import type { JsonObject } from "../runtime/types.js";

/** Ids remembered; beyond so many the oldest are forgotten. One is about 100 bytes. */
const maxIds = 100_000;

/** An input item as the API shows it: with an id, its own or one made of its response and place. */
export function identifyInputItems({
  responseId,
  inputItems,
}: Pick<NewContinuationRecord, "responseId" | "inputItems">): readonly JsonObject[] {
  return inputItems.map((item, index) => {
    if (typeof item.id === "string") return item;
    return {
      id: `${idPrefixes.get(item.type) ?? "item"}_${responseId.replace(/^resp_/, "")}_${index}`,
      ...item,
    };
  });
}

/** Whose items are looked for, and where they are kept. */
export interface ItemSource {
  readonly registry: CodexNativeApiContinuationRegistry;
  readonly owner: Owner;
}

const idPrefixes = new Map<unknown, string>([
  ["message", "msg"],
  ["function_call", "fc"],
  ["function_call_output", "fco"],
  ["reasoning", "rs"],
]);

/** Where stored items lie, since an `item_reference` names the item and not its response. */
export class ItemIndex {
  readonly #responseIds = new Map<string, string>();

  add(record: NewContinuationRecord): void {
    for (const { id } of [...identifyInputItems(record), ...record.outputItems]) {
      if (typeof id !== "string") continue;
      const key = keyOf(id, record.owner ?? null);
      this.#responseIds.delete(key);
      this.#responseIds.set(key, record.responseId);
    }
    for (const oldest of this.#responseIds.keys()) {
      if (this.#responseIds.size <= maxIds) break;
      this.#responseIds.delete(oldest);
    }
  }

  /**
   * Puts stored items in the place of `item_reference`s, and gives reasoning back the encrypted content that its caller was not
   * given or did not keep: whoever sends an answer's items back as they came names reasoning by its id alone.
   *
   * @throws CodexNativeApiError `invalid_request` with the path of a reference to an item that is not stored (any more).
   */
  async resolve(items: readonly JsonObject[], source: ItemSource): Promise<readonly JsonObject[]> {
    if (!items.some((item) => item.type === "item_reference" || isBareReasoning(item))) return items;
    return Promise.all(
      items.map((item, index) => {
        if (item.type === "item_reference") return this.#resolveOne(item.id, index, source);
        return isBareReasoning(item) ? this.#completeReasoning(item, source) : item;
      }),
    );
  }

  async #completeReasoning(item: JsonObject, source: ItemSource): Promise<JsonObject> {
    const encrypted = (await this.#find(item.id, source))?.encrypted_content;
    return typeof encrypted === "string" ? { ...item, encrypted_content: encrypted } : item;
  }

  async #resolveOne(id: unknown, index: number, source: ItemSource): Promise<JsonObject> {
    const found = await this.#find(id, source);
    if (found !== null) return found;
    throw new CodexNativeApiError(
      "invalid_request",
      `Item '${String(id).slice(0, 64)}' is not stored here.`,
      {
        param: `input[${index}].id`,
      },
    );
  }

  async #find(id: unknown, { registry, owner }: ItemSource): Promise<JsonObject | null> {
    if (typeof id !== "string") return null;
    const responseId = this.#responseIds.get(keyOf(id, owner)) ?? this.#responseIds.get(keyOf(id, null));
    const lookup = responseId === undefined ? null : await registry.get(responseId);
    if (lookup?.status !== "found") return null;
    const { record } = lookup;
    return [...identifyInputItems(record), ...record.outputItems].find((item) => item.id === id) ?? null;
  }
}

/** Input items have the ids their callers gave them: one caller's must not stand for another's. */
function keyOf(id: string, owner: Owner): string {
  return owner === null ? id : `${owner} ${id}`;
}

function isBareReasoning(item: JsonObject): boolean {
  return (
    item.type === "reasoning" && typeof item.id === "string" && typeof item.encrypted_content !== "string"
  );
}
