/** Reads the usage, and again while it is looked at: every half minute, but only if a request has ended since. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../../data/api.js";
import { useApi, useParts } from "../../data/page-context.js";
import { type Usage, usageSchema } from "../../wire.js";

const readEveryMs = 30_000;

export function useUsage() {
  const api = useApi();
  const { store } = useParts();
  const [usage, setUsage] = useState<Usage | null>(null);
  const [fault, setFault] = useState<ApiError | null>(null);
  const [isReading, setReading] = useState(false);
  const readFor = useRef<unknown>(null);
  const abort = useRef<AbortController | null>(null);
  const read = useCallback(() => {
    abort.current?.abort();
    const own = new AbortController();
    abort.current = own;
    readFor.current = store.get().entries;
    setReading(true);
    const settle = (found: Usage | null, reason: ApiError | null) => {
      if (own.signal.aborted) return;
      if (found !== null) setUsage(found);
      setFault(reason);
      setReading(false);
    };
    api.read("/v1/usage", usageSchema, { signal: own.signal }).then(
      (found) => settle(found, null),
      (error: unknown) => settle(null, toApiError(error)),
    );
  }, [api, store]);
  useEffect(() => {
    read();
    const timer = setInterval(() => {
      if (!document.hidden && store.get().entries !== readFor.current) read();
    }, readEveryMs);
    return () => {
      clearInterval(timer);
      abort.current?.abort();
    };
  }, [read, store]);
  return { usage, fault, isReading, read };
}

function toApiError(error: unknown): ApiError {
  return error instanceof ApiError
    ? error
    : new ApiError(0, "unexpected", "The page failed.", { cause: error });
}
