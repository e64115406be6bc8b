/**
 * A service in a mount namespace of its own, in which Codex's directory for sockets is as the test wants it: `node
 * socket-directory-child.js JSON`, the JSON holding `settings` and `environment`. Prints what became of it, and ends.
 */
import { CodexNativeApiService, createConfig } from "../../src/main/index.js";

const given: { settings: object; environment: Record<string, string> } = JSON.parse(process.argv[2] ?? "{}");
const created = createConfig(given.settings);
if (!created.ok) throw new Error(JSON.stringify(created.faults));
const service = new CodexNativeApiService({ config: created.config, environment: given.environment });
await service.start();
const readiness = await service.untilSettled();
const answers = await Promise.all(
  Array.from({ length: 3 }, async () => {
    const answer = await fetch(`${service.baseUrl}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: "hello" }),
    });
    return answer.status;
  }),
);
const health = service.health();
await service.stop();
process.stdout.write(
  JSON.stringify({
    readiness,
    answers,
    degraded: health?.degraded,
    transport: health?.appServer?.transport,
    ready: health?.workers.filter(({ state }) => state === "ready").length,
  }),
);
