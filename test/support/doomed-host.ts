/**
 * A host program that embeds the service and comes to a bad end: `node doomed-host.js ENDING JSON`, the JSON holding `settings`
 * and `environment`. Prints `ready` and waits for a line; then it ends as it was told, with nothing of its own to clean up.
 */
import { once } from "node:events";
import { CodexNativeApiService, createConfig } from "../../src/main/index.js";

const [ending, json = "{}"] = process.argv.slice(2);
const given: { settings: object; environment: Record<string, string> } = JSON.parse(json);
const created = createConfig(given.settings);
if (!created.ok) throw new Error(JSON.stringify(created.faults));
const service = new CodexNativeApiService({ config: created.config, environment: given.environment });
await service.start();
const settled = await service.untilSettled();
if (!settled.ready) throw new Error(settled.error.message);
process.stdout.write(`${JSON.stringify({ url: service.baseUrl, pid: service.health()?.appServer?.pid })}\n`);
await once(process.stdin, "data");
if (ending === "exit") process.exit(3);
if (ending === "throw") setImmediate(() => throwUncaught());
process.stdin.unref();

function throwUncaught(): never {
  throw new Error("the host's own fault");
}
