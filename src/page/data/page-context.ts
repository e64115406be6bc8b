/** What views use: the state, the API, the route, the language and the time. */
import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Language } from "../texts/language.js";
import type { Entry } from "../wire.js";
import type { Api } from "./api.js";
import { parseRoute, type Route } from "./route.js";
import type { PageState, Store } from "./store.js";

export interface PageParts {
  readonly api: Api;
  readonly store: Store<PageState>;
  /** Uses the token, or none, and begins again. */
  readonly signIn: (token: string | null) => Promise<void>;
}

export const PartsContext = createContext<PageParts | null>(null);
export const LanguageContext = createContext<Language>("en");

export function useParts(): PageParts {
  const parts = useContext(PartsContext);
  if (parts === null) throw new Error("outside the page");
  return parts;
}

export function useApi(): Api {
  return useParts().api;
}

/** A part of the page's state. The component renders again when that part is another one. */
export function usePageState<Part>(select: (state: PageState) => Part): Part {
  const { store } = useParts();
  const selectNow = useRef(select);
  selectNow.current = select;
  const part = select(store.get());
  const shown = useRef(part);
  shown.current = part;
  const [, render] = useState(0);
  useEffect(() => {
    const check = () => {
      if (!Object.is(selectNow.current(store.get()), shown.current)) render((count) => count + 1);
    };
    check();
    return store.subscribe(check);
  }, [store]);
  return part;
}

/** The newest requests, newest first. */
export function useEntries(): readonly Entry[] {
  return usePageState(({ entries }) => entries);
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const note = () => setHash(location.hash);
    addEventListener("hashchange", note);
    return () => removeEventListener("hashchange", note);
  }, []);
  return parseRoute(hash);
}

/** The service's time, anew every so often while the page is seen; null: it stands still. */
export function useNowMs(everyMs: number | null): number {
  const offsetMs = usePageState(({ clockOffsetMs }) => clockOffsetMs);
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (everyMs === null) return;
    setNowMs(Date.now());
    const timer = setInterval(() => {
      if (!document.hidden) setNowMs(Date.now());
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs + offsetMs;
}
