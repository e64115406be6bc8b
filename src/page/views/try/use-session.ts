import { useEffect, useState } from "preact/hooks";
import { usePageState } from "../../data/page-context.js";
import { exampleForm } from "./examples.js";
import { TrySession, type TryState } from "./try-session.js";

const session = new TrySession(exampleForm);

/** The page's one session. Whoever comes after the page was locked finds nothing of it. */
export function useSession(): { readonly session: TrySession; readonly state: TryState } {
  const [, render] = useState(0);
  useEffect(() => session.subscribe(() => render((count) => count + 1)), []);
  return { session, state: session.get() };
}

/** To be used where the page is drawn whatever its view. */
export function useClearedWhenLocked(): void {
  const isRefused = usePageState(({ connection }) => connection === "refused");
  useEffect(() => {
    if (isRefused) session.clear();
  }, [isRefused]);
}
