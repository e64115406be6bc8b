/**
 * A host that watches what the package does with its process: `node quiet-host.js JSON`. Serves one request and prints which
 * variables and arguments the package read, and which listeners it put on the process while it ran and after it.
 */
const reads: string[] = [];

function watchReads<T extends object>(name: string, target: T): T {
  const note = (what: string) => {
    // The caller of the trap; what Node and other packages read is theirs to answer for.
    const caller = new Error().stack?.split("\n")[3] ?? "";
    if (/\/src\/(main|workers)\//.test(caller)) reads.push(`${name}.${what} ${caller.trim()}`);
  };
  return new Proxy(target, {
    get: (object, key, receiver) => {
      note(String(key));
      return Reflect.get(object, key, receiver);
    },
    has: (object, key) => {
      note(String(key));
      return Reflect.has(object, key);
    },
    ownKeys: (object) => {
      note("*");
      return Reflect.ownKeys(object);
    },
  });
}

const given: { settings: object; environment: Record<string, string> } = JSON.parse(process.argv[2] ?? "");
for (const name of ["env", "argv"] as const) {
  Object.defineProperty(process, name, { value: watchReads<object>(name, process[name]) });
}

function listeners(): readonly string[] {
  return process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`);
}

const before = listeners();
const { CodexNativeApiService, createConfig } = await import("../../src/main/index.js");
const created = createConfig(given.settings);
if (!created.ok) throw new Error(JSON.stringify(created.faults));
const service = new CodexNativeApiService({ config: created.config, environment: given.environment });
const { url } = await service.start();
await service.untilSettled();
const answer = await fetch(`${url}/v1/responses`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '{"input":"hello"}',
});
const during = listeners();
await service.stop();
const added = [...during, ...listeners()].filter((listener) => !before.includes(listener));
process.stdout.write(JSON.stringify({ status: answer.status, reads, added }));
