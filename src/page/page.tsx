/** The service's page. */
import { render } from "preact";
import { Api, ApiError } from "./data/api.js";
import { LiveFeed } from "./data/live-feed.js";
import type { PageParts } from "./data/page-context.js";
import { readCode, routeTo, viewNames } from "./data/route.js";
import { emptyPage, Store } from "./data/store.js";
import { App } from "./ui/app.js";
import "./styles/page.css";

function openPage(root: HTMLElement): void {
  const code = readCode(location.hash);
  // At once, and before anything is asked: a code must not stay in the address or the history.
  if (code !== null || location.hash === "") history.replaceState(null, "", routeTo(viewNames[0]));
  const store = new Store(emptyPage);
  const api = new Api(() => feed.refuse());
  const feed = new LiveFeed(api, store);
  const parts: PageParts = {
    api,
    store,
    signIn: async (token) => {
      api.useToken(token);
      store.set({ refusal: null });
      if (token !== null && (await isRefused(api))) return;
      feed.start();
    },
  };
  render(<App parts={parts} />, root);
  void enter(code, { api, feed, store });
}

/** Asked before the page opens, so that the form stays where the token is wrong. */
async function isRefused(api: Api): Promise<boolean> {
  return await api.fetch("/v1/requests?limit=1").then(
    () => false,
    (error: unknown) => error instanceof ApiError && error.status === 401,
  );
}

interface Entrance {
  readonly api: Api;
  readonly feed: LiveFeed;
  readonly store: Store<typeof emptyPage>;
}

async function enter(code: string | null, { api, feed, store }: Entrance): Promise<void> {
  if (code !== null) {
    // A service without tokens lets the page in all the same, and one with tokens asks for one.
    await api.redeemCode(code).catch(() => store.set({ refusal: "code" }));
  }
  feed.start();
}

const root = document.querySelector<HTMLElement>("#page");
if (root !== null) openPage(root);
