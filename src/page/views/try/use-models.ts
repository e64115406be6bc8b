/** The models of this login, read anew when the service becomes ready. */
import { useEffect, useState } from "preact/hooks";
import * as z from "zod/mini";
import { useApi, usePageState } from "../../data/page-context.js";

const modelList = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      default: z._default(z.optional(z.boolean()), false),
      capabilities: z.optional(
        z.object({
          supported_reasoning_efforts: z.array(z.string()),
          default_reasoning_effort: z.nullable(z.string()),
        }),
      ),
    }),
  ),
  native_api: z.optional(z.object({ catalog_checked: z.optional(z.boolean()) })),
});

export interface TryModel {
  readonly id: string;
  readonly isDefault: boolean;
  readonly efforts: readonly string[];
  readonly defaultEffort: string | null;
}

export interface TryModels {
  readonly models: readonly TryModel[];
  /** Any name may be asked for. */
  readonly isOpen: boolean;
  readonly hasFailed: boolean;
}

const none: TryModels = { models: [], isOpen: false, hasFailed: false };

export function useModels(): TryModels {
  const api = useApi();
  const isReady = usePageState(({ service }) => service?.ready === true);
  const [read, setRead] = useState(none);
  useEffect(() => {
    if (!isReady) return;
    const run = new AbortController();
    api.read("/v1/models", modelList, { signal: run.signal }).then(
      ({ data, native_api: native }) => {
        if (run.signal.aborted) return;
        const models = data.map(({ id, default: isDefault, capabilities }) => ({
          id,
          isDefault,
          efforts: capabilities?.supported_reasoning_efforts ?? [],
          defaultEffort: capabilities?.default_reasoning_effort ?? null,
        }));
        setRead({ models, isOpen: native?.catalog_checked === false, hasFailed: false });
      },
      () => {
        if (!run.signal.aborted) setRead({ ...none, hasFailed: true });
      },
    );
    return () => run.abort();
  }, [api, isReady]);
  return read;
}
