/**
 * Preloaded by `npm run test:node` into a test file: what our tests import of these packages is the newest, from a folder of its own.
 * All else, and so the product, keeps the packages of the lockfile.
 */
import { appendFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { pathToFileURL } from "node:url";

type Resolve = (specifier: string, context: { readonly parentURL?: string }) => unknown;

/** Synchronous hooks, which Node has since 22.15 and the types of Node 20 do not know. */
interface WithHooks {
  registerHooks(hooks: {
    resolve(specifier: string, context: { readonly parentURL?: string }, next: Resolve): unknown;
  }): void;
}

function hasHooks(module: object): module is WithHooks {
  return "registerHooks" in module;
}

const query = new URL(import.meta.url).searchParams;
const home = query.get("home");
const records = query.get("records");
const clients = query.getAll("client");
if (home === null || records === null) throw new Error("preloaded without its folder");
if (!hasHooks(nodeModule)) throw new Error(`Node ${process.version} cannot redirect imports.`);

const fromHome = pathToFileURL(`${home}/`).href;
const ownBuild = new URL("../../", import.meta.url).href;
const loaded = new Set<string>();

nodeModule.registerHooks({
  resolve(specifier, context, next) {
    const client = clients.find((name) => specifier === name || specifier.startsWith(`${name}/`));
    if (client === undefined || context.parentURL?.startsWith(ownBuild) !== true) {
      return next(specifier, context);
    }
    if (!loaded.has(client)) appendFileSync(records, `${JSON.stringify({ client })}\n`);
    loaded.add(client);
    return next(specifier, { ...context, parentURL: fromHome });
  },
});
