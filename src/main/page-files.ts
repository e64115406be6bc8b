/**
 * The page for browsers, as the build made it: an `index.html` and what it loads. Read whole and once, before the first request, and only
 * what was read can be served: no path of a request ever reaches the file system.
 */
import { readdir, readFile } from "node:fs/promises";

/** A file of the page, with the type that a browser is told. */
export interface PageFile {
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** The page's files. */
export interface BuiltPage {
  readonly index: PageFile;
  /** By name. Each name has a hash of the content in it, so that a browser may keep the file for ever. */
  readonly assets: ReadonlyMap<string, PageFile>;
}

/** Beside the published program, and beside the folder that tests are compiled into. */
const places = ["../page/", "../../page/"].map((path) => new URL(path, import.meta.url));

const contentTypes: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

const assetName = /^[a-z][a-z0-9-]*\.[A-Za-z0-9_-]{6,64}\.(js|css)$/;

/** Null where the page is not there: the service was built without it, or its package is incomplete. */
export async function readBuiltPage(directories: readonly URL[] = places): Promise<BuiltPage | null> {
  for (const directory of directories) {
    const page = await readPageAt(directory);
    if (page !== null) return page;
  }
  return null;
}

async function readPageAt(directory: URL): Promise<BuiltPage | null> {
  // Whatever keeps it from being read, the API does not need it.
  const names = await readdir(directory).catch(() => []);
  const index = await readFile(new URL("index.html", directory)).catch(() => null);
  if (index === null) return null;
  const assets = new Map<string, PageFile>();
  for (const name of names) {
    const contentType = contentTypes[assetName.exec(name)?.[1] ?? ""];
    if (contentType === undefined) continue;
    const bytes = await readFile(new URL(name, directory)).catch(() => null);
    if (bytes !== null) assets.set(name, { contentType, bytes });
  }
  return { index: { contentType: "text/html; charset=utf-8", bytes: index }, assets };
}
