/** The views, in the order of the navigation. The first is where the page opens. */
export const viewNames = ["now", "requests", "try", "usage"] as const;
export type ViewName = (typeof viewNames)[number];

export function isViewName(name: string): name is ViewName {
  return viewNames.some((known) => known === name);
}

/** Where in the page one is: `#/requests/ID?model=…`. */
export interface Route {
  readonly view: string;
  /** After the view's name, or null. */
  readonly rest: string | null;
  readonly query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", ...rest] = path.split("/");
  return { view, rest: rest.length === 0 ? null : decode(rest.join("/")), query: new URLSearchParams(query) };
}

export interface ViewProps {
  readonly route: Route;
}

/** The address of a place, for `href`. */
export function routeTo(view: string, query: Readonly<Record<string, string>> = {}, rest = ""): string {
  const search = new URLSearchParams(query).toString();
  const path = rest === "" ? view : `${view}/${encodeURIComponent(rest)}`;
  return `#/${path}${search === "" ? "" : `?${search}`}`;
}

/** A one-time code that came in the address: `#code=…`. A view may have a `code` of its own among its filters. */
export function readCode(hash: string): string | null {
  if (!hash.startsWith("#code=")) return null;
  return new URLSearchParams(hash.replace(/^#/, "")).get("code");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
