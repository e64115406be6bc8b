import { isJsonObject, type JsonObject } from "../../../../../src/workers/contract/json.js";
import { propertiesOf, SchemaReader } from "./json-schema.js";

export interface MethodSchema {
  readonly params: unknown;
  /**
   * By the app-server's own naming: `FooParams` is answered by `FooResponse`, and a method without params by one of the method's
   * name. Undefined for notifications.
   */
  readonly result: unknown;
}

/** The methods of one direction in the app-server's generated schema. */
export class ProtocolSchema {
  readonly reader: SchemaReader;
  readonly #root: JsonObject;

  constructor(root: JsonObject) {
    this.#root = root;
    this.reader = new SchemaReader(root);
  }

  /**
   * What a notification bears. The binary leaves internal ones (`rawResponse/completed`) out of its list, though it sends
   * them and prints their definitions.
   */
  notificationParams(method: string): unknown {
    const listed = this.methods("ServerNotification").get(method);
    if (listed !== undefined) return listed.params;
    return this.#named(method, "Notification");
  }

  /** The kinds of `CodexErrorInfo`: words, and objects of one key. */
  errorKinds(): readonly string[] {
    const { definitions } = this.#root;
    const v2 = isJsonObject(definitions) ? definitions.v2 : undefined;
    const info = isJsonObject(v2) ? v2.CodexErrorInfo : undefined;
    const forms = isJsonObject(info) ? (info.anyOf ?? info.oneOf) : undefined;
    if (!Array.isArray(forms)) throw new Error("no CodexErrorInfo in the schema");
    return forms.flatMap((form: unknown) => {
      if (!isJsonObject(form)) return [];
      const words = Array.isArray(form.enum) ? form.enum : [];
      const keys = Array.isArray(form.required) ? form.required : [];
      return [...words, ...keys].filter((kind): kind is string => typeof kind === "string");
    });
  }

  /** @param union `ClientRequest`, `ServerRequest` or `ServerNotification`. */
  methods(union: string): ReadonlyMap<string, MethodSchema> {
    const definitions = this.#root.definitions;
    const found = new Map<string, MethodSchema>();
    const parts = isJsonObject(definitions) ? definitions[union] : undefined;
    if (!isJsonObject(parts) || !Array.isArray(parts.oneOf)) throw new Error(`no ${union} in the schema`);
    for (const part of parts.oneOf) {
      if (!isJsonObject(part)) continue;
      const { method, params } = propertiesOf(part);
      const name = isJsonObject(method) && Array.isArray(method.enum) ? method.enum[0] : undefined;
      if (typeof name === "string")
        found.set(name, { params, result: resultOf(params) ?? this.#named(name, "Response") });
    }
    return found;
  }

  /** What is called after the method itself. */
  #named(method: string, suffix: "Notification" | "Response"): unknown {
    const words = method.split("/").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
    const { definitions } = this.#root;
    const v2 = isJsonObject(definitions) ? definitions.v2 : undefined;
    return isJsonObject(v2) ? v2[`${words.join("")}${suffix}`] : undefined;
  }
}

/** Params that may be left out are printed as a union with null. */
function resultOf(params: unknown): unknown {
  if (!isJsonObject(params)) return undefined;
  if (Array.isArray(params.anyOf)) return params.anyOf.map(resultOf).find((found) => found !== undefined);
  if (typeof params.$ref !== "string") return undefined;
  return { $ref: params.$ref.replace(/Params$/, "Response") };
}
