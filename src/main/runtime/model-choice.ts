import { CodexNativeApiError } from "../errors.js";
import type { NativeModel } from "./types.js";

export interface ModelChoice {
  readonly requested: string | undefined;
  /** The configured default; null leaves it to the catalog. */
  readonly configured: string | null;
  /** Null while the catalog is not known. */
  readonly catalog: readonly NativeModel[] | null;
  /** A provider of the user's own serves models that Codex's catalog does not list. */
  readonly customProvider: boolean;
}

/** Which model a turn runs on. Throws `model_not_found` for one that Codex would not know. */
export function chooseModel(choice: ModelChoice): string {
  const { requested, configured, catalog, customProvider } = choice;
  const wanted = requested ?? configured;
  if (wanted === null || wanted === undefined) {
    const byDefault = catalog?.find((model) => model.isDefault) ?? catalog?.[0];
    if (byDefault !== undefined) return byDefault.id;
    throw new CodexNativeApiError("native_runtime_unavailable", "Codex named no model yet.", {
      retryAfterMs: 1000,
    });
  }
  if (customProvider || catalog === null || catalog.some((model) => model.id === wanted)) return wanted;
  throw new CodexNativeApiError(
    "model_not_found",
    `The model '${wanted}' is not in Codex's catalog. GET /v1/models lists what is.`,
    { param: "model" },
  );
}
