import t from "tap";
import { createConfigOn } from "../../../src/main/config/load-config.js";
import {
  CodexNativeApiServer,
  CodexNativeApiService,
  CodexNativeRuntime,
  createRuntime,
} from "../../../src/main/index.js";
import { fakeMachine } from "../../support/fake-machine.js";
import { testLogger } from "../../support/runtime-harness.js";

const created = createConfigOn(fakeMachine(), { listen: { port: 0 } }, {});
if (!created.ok) throw new Error("the defaults have faults");
const { config } = created;

/** The message of the error; options come as a JavaScript host may give them. */
function refusalOf(make: new (...args: never[]) => unknown, ...args: readonly unknown[]): string {
  try {
    Reflect.construct(make, args);
  } catch (error) {
    return error instanceof TypeError ? error.message : `no TypeError: ${error}`;
  }
  return "";
}

const service = (options: unknown) => refusalOf(CodexNativeApiService, options);

t.test("options of the right shape are taken, those that are undefined as left out", async (t) => {
  t.equal(service({ config }), "");
  t.equal(service({ config: { ...config, enabled: false }, logger: testLogger, environment: {} }), "");
  t.equal(service({ config, logger: undefined, registry: undefined, port: undefined }), "");
  const all = createConfigOn(
    fakeMachine(),
    {
      appServer: "unix:///run/codex.sock",
      auth: { tokens: [{ name: "ada", token: "0123456789abcdef" }] },
      http: { allowedHosts: ["box.lan"], allowedOrigins: ["app://obsidian.md"] },
      turns: { upstreamLimit: 5, idleTimeoutsMs: { high: 5 }, defaultModel: "gpt-5.5" },
      codex: { bin: "codex", config: { a: "1" } },
    },
    {},
  );
  t.equal(all.ok && service({ config: all.config }), "");
});

t.test("no options, or options of another program, are refused by name", async (t) => {
  for (const options of [undefined, null, "config", 5, [config]])
    t.match(service(options), /^CodexNativeApiService: the options must be an object with config, logger/);
  const message = service({
    host: "127.0.0.1",
    port: 43182,
    authToken: "x",
    defaultModel: "m",
    env: {},
    now: 1,
  });
  t.match(message, /config is missing; it takes a configuration from createConfig/);
  t.match(message, /there is no option host; did you mean createConfig with listen\.host\?/);
  t.match(message, /there is no option port; did you mean createConfig with listen\.port\?/);
  t.match(message, /there is no option authToken; did you mean createConfig with auth\.token\?/);
  t.match(message, /there is no option defaultModel; did you mean createConfig with turns\.defaultModel\?/);
  t.match(message, /there is no option env/);
  t.match(message, /there is no option now/);
});

t.test("every option of the wrong shape is named", async (t) => {
  const message = service({
    config,
    logger: () => {},
    environment: ["PATH=/bin"],
    providerProfileId: "",
    accountId: 5,
    registry: new Map(),
    requestStore: new Map(),
  });
  for (const name of ["logger", "environment", "providerProfileId", "accountId", "registry", "requestStore"])
    t.match(message, `${name} is not allowed; it takes`, name);
});

t.test("a configuration that createConfig did not make is refused by its parts", async (t) => {
  t.match(service({ config: created }), /config is the result of createConfig; give its config/);
  t.match(service({ config: "config.json" }), /config is not allowed; it takes a configuration/);
  t.match(
    service({ config: {} }),
    /config\.listen\.port is missing; make the configuration with createConfig/,
  );
  const wrong = {
    ...config,
    listen: { host: null, port: "43182" },
    workers: null,
    appServer: "shared",
    auth: { ...config.auth, token: 5, tokens: ["secret-of-ada"] },
    logLevel: "loud",
  };
  const message = service({ config: wrong });
  t.match(message, /config\.listen\.host: null is not allowed/);
  t.match(message, /config\.listen\.port: "43182" is not allowed; it takes an integer from 0 to 65535/);
  for (const key of ["workers", "appServer", "auth.token", "auth.tokens", "logLevel"])
    t.match(message, `config.${key}: `, key);
  t.notMatch(message, /secret/);
});

t.test("a reload of the wrong shape is refused, and the next one taken", async (t) => {
  const host = new CodexNativeApiService({ config });
  await t.rejects(Reflect.apply(host.reload, host, [{ ...config, workers: "two" }]), {
    name: "TypeError",
    message: /config\.workers: "two" is not allowed/,
  });
  t.strictSame(await host.reload(config), { applied: [], needRestart: [] });
});

t.test("a service that does not run is not ready after a reconnection", async (t) => {
  const host = new CodexNativeApiService({ config });
  const before = Date.now();
  const snapshot = await host.reconnect();
  t.match(snapshot, {
    ready: false,
    error: { code: "native_runtime_unavailable", message: "The service is not running." },
    account: null,
    codexVersion: null,
    appServerGeneration: null,
    modelCount: null,
  });
  t.ok(snapshot.checkedAt >= before && snapshot.checkedAt <= Date.now());
});

t.test("createRuntime names the parts of a wrong configuration", async (t) => {
  for (const given of [undefined, created, { port: 1 }, { ...config, workers: "2" }])
    t.throws(() => Reflect.apply(createRuntime, undefined, [given]), {
      name: "TypeError",
      message: /^createRuntime: config/,
    });
  t.doesNotThrow(() => createRuntime(config));
});

t.test("runtime and server name options of the wrong shape too", async (t) => {
  t.match(refusalOf(CodexNativeRuntime), /^CodexNativeRuntime: the options must be an object/);
  const runtime = refusalOf(CodexNativeRuntime, { now: Date.now, workers: "2", codex: {} });
  t.match(runtime, /codex is not allowed; it takes an object with userHome/);
  t.match(runtime, /turns is missing/);
  t.match(runtime, /workers is not allowed; it takes a number/);
  t.match(runtime, /there is no option now/);
  t.match(runtime, /the second argument is not allowed; it takes a pino logger/);
  const server = refusalOf(CodexNativeApiServer, { runtime: {}, port: "1", resolveRuntimeContext: () => {} });
  t.match(server, /^CodexNativeApiServer: runtime is not allowed; it takes a NativeTurnRuntime/);
  t.match(server, /registry is missing/);
  t.match(server, /port is not allowed; it takes a number/);
  t.match(server, /there is no option resolveRuntimeContext/);
});
