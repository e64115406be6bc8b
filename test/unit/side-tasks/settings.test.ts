import t from "tap";
import { allExternalReasons } from "../../../src/main/side-tasks/external-reasons.js";
import { readSideTaskSettings, readSideTaskSettingsOn } from "../../../src/main/side-tasks/settings.js";
import { sideTaskClasses } from "../../../src/main/side-tasks/task-classes.js";
import { type FakeFiles, fakeMachine } from "../../support/fake-machine.js";

const api = "CODEXBRIDGE_INTERNAL_NATIVE_API_";
const fallback = "CODEX_NATIVE_API_FALLBACK_";

function faultsOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const read = readSideTaskSettings(env);
  return read.ok ? [] : read.faults.map(({ source, problem }) => `${source}: ${problem}`);
}

t.test("nothing set switches both routes off", async (t) => {
  const off = { ok: true, settings: { localApi: null, external: null }, warnings: [] };
  t.strictSame(readSideTaskSettings({}), off);
  t.strictSame(readSideTaskSettings({ [`${api}ENABLED`]: "", [`${fallback}MODEL`]: "", PATH: "/bin" }), off);
  t.strictSame(readSideTaskSettings({ [`${api}ENABLED`]: "0", [`${api}TIMEOUT_MS`]: "5" }), off);
});

t.test("switched on, the rest has defaults", async (t) => {
  t.strictSame(readSideTaskSettings({ [`${api}ENABLED`]: "1" }), {
    ok: true,
    settings: {
      localApi: {
        baseUrl: "http://127.0.0.1:43182",
        authToken: null,
        taskClasses: [...sideTaskClasses],
        timeoutMs: null,
      },
      external: null,
    },
    warnings: [],
  });
});

t.test("everything is read", async (t) => {
  const read = readSideTaskSettings({
    [`${api}ENABLED`]: "TRUE",
    [`${api}BASE_URL`]: "http://localhost:5000/v1/",
    [`${api}AUTH_TOKEN`]: "secret",
    [`${api}TASK_CLASSES`]: "normalization, side_reasoning",
    [`${api}TIMEOUT_MS`]: "2500",
    [`${fallback}BASE_URL`]: "https://api.example.com/v1/",
    [`${fallback}API_KEY`]: "key",
    [`${fallback}MODEL`]: "small-model",
  });
  t.strictSame(read, {
    ok: true,
    settings: {
      localApi: {
        baseUrl: "http://localhost:5000",
        authToken: "secret",
        taskClasses: ["normalization", "side_reasoning"],
        timeoutMs: 2500,
      },
      external: { baseUrl: "https://api.example.com/v1", apiKey: "key", model: "small-model" },
    },
    warnings: [],
  });
});

t.test("every fault is told at once, and no secret", async (t) => {
  const faults = faultsOf({
    [`${api}ENABLED`]: "perhaps",
    [`${api}BASE_URL`]: "http://192.168.1.7:43182",
    [`${api}AUTH_TOKEN`]: "two words",
    [`${api}TASK_CLASSES`]: " , ",
    [`${api}TIMEOUT_MS`]: "0",
    [`${api}TIMEOUT`]: "5",
    [`${fallback}BASE_URL`]: "https://user:password@api.example.com",
    [`${fallback}API_KEY`]: "bad key",
  });
  t.strictSame(faults, [
    `${api}ENABLED: "perhaps" is not allowed; it takes 1 or 0, also as true or false, on or off, yes or no, y or n`,
    `${api}BASE_URL: "http://192.168.1.7:43182" is not allowed; it takes an http:// URL of this machine (loopback), such as http://127.0.0.1:43182`,
    `${api}AUTH_TOKEN: the value given (not shown) is not allowed; it takes visible ASCII characters without spaces`,
    `${api}TASK_CLASSES: " , " is not allowed; it takes names of task classes, separated by commas: intent_classification, normalization, small_verification, side_reasoning`,
    `${api}TIMEOUT_MS: "0" is not allowed; it takes an integer from 1 to 2147483647 (milliseconds)`,
    `${fallback}BASE_URL: the value given (not shown) is not allowed; it takes an http:// or https:// URL, such as https://api.example.com/v1`,
    `${fallback}API_KEY: the value given (not shown) is not allowed; it takes visible ASCII characters without spaces`,
    `${fallback}MODEL: is needed for an external provider`,
    `${api}TIMEOUT: there is no such environment variable; did you mean ${api}TIMEOUT_MS?`,
  ]);
});

t.test("a mistyped variable of either prefix is led to the nearest one", async (t) => {
  const hint = (name: string) => faultsOf({ [name]: "x" }).at(-1);
  for (const [given, meant] of [
    [`${api}ENABELD`, `${api}ENABLED`],
    [`${api}CLASSES`, `${api}TASK_CLASSES`],
    [`${api}BASEURL`, `${api}BASE_URL`],
    [`${fallback}MODLE`, `${fallback}MODEL`],
    [`${fallback}KEY`, `${fallback}API_KEY`],
    [`${fallback}DIALETC`, `${fallback}DIALECT`],
  ] as const)
    t.equal(hint(given), `${given}: there is no such environment variable; did you mean ${meant}?`);
  t.equal(hint(`${api}COLOUR_SCHEME`), `${api}COLOUR_SCHEME: there is no such environment variable`);
});

t.test("the service is named on this machine alone, and by http", async (t) => {
  for (const url of [
    "https://127.0.0.1:1",
    "http://127.0.0.1:1/api",
    "http://example.com",
    "127.0.0.1:1",
    "x",
  ]) {
    t.equal(faultsOf({ [`${api}BASE_URL`]: url }).length, 1, url);
  }
  for (const url of ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1/v1"]) {
    t.strictSame(faultsOf({ [`${api}BASE_URL`]: url }), [], url);
  }
});

t.test("a provider needs its URL and its model, and a key is not sent in the clear", async (t) => {
  t.strictSame(faultsOf({ [`${fallback}API_KEY`]: "key" }), [
    `${fallback}BASE_URL: is needed for an external provider`,
    `${fallback}MODEL: is needed for an external provider`,
  ]);
  const provider = (url: string, key: string) => ({
    [`${fallback}BASE_URL`]: url,
    [`${fallback}API_KEY`]: key,
    [`${fallback}MODEL`]: "m",
  });
  t.match(faultsOf(provider("http://models.example/v1", "key")), [/would cross the network unencrypted/]);
  t.strictSame(faultsOf(provider("http://models.example/v1", "")), []);
  t.strictSame(faultsOf(provider("http://127.0.0.1:11434/v1", "key")), []);
});

t.test("the provider's dialect and what may be sent to it are read where they are set", async (t) => {
  const provider = { [`${fallback}BASE_URL`]: "https://api.example.com/v1", [`${fallback}MODEL`]: "m" };
  const externalOf = (env: Readonly<Record<string, string>>) => {
    const read = readSideTaskSettings({ ...provider, ...env });
    return read.ok ? read.settings.external : null;
  };
  const base = { baseUrl: "https://api.example.com/v1", apiKey: null, model: "m" };
  t.strictSame(externalOf({ [`${fallback}ON`]: "", [`${fallback}DIALECT`]: "" }), base);
  t.strictSame(
    externalOf({ [`${fallback}DIALECT`]: "responses", [`${fallback}ON`]: "usage_limit, overloaded" }),
    {
      ...base,
      dialect: "responses",
      when: ["usage_limit", "overloaded"],
    },
  );
  t.strictSame(externalOf({ [`${fallback}ON`]: "none" })?.when, []);
  t.strictSame(externalOf({ [`${fallback}ON`]: "all" })?.when, allExternalReasons);
  for (const on of ["content_policy", "bad_output", "usage_limit,", "all,none", "toString"])
    t.match(
      faultsOf({ ...provider, [`${fallback}ON`]: on }),
      [/_ON: .* is not allowed; it takes none, all/],
      on,
    );
  t.match(faultsOf({ ...provider, [`${fallback}DIALECT`]: "grpc" }), [/it takes chat or responses/]);
  t.equal(faultsOf({ [`${fallback}ON`]: "none" }).length, 2, "without a provider it decides nothing");
});

const service = "CODEX_NATIVE_API_";

/** The settings of the service's route, or the faults. */
function readLocal(env: Readonly<Record<string, string | undefined>>, files: FakeFiles = {}) {
  const read = readSideTaskSettingsOn(fakeMachine(files), { [`${api}ENABLED`]: "on", ...env });
  return read.ok ? read.settings.localApi : read.faults.map(({ source, problem }) => `${source}: ${problem}`);
}

t.test("address and token come from the service's variables", async (t) => {
  t.match(readLocal({ [`${service}PORT`]: "5000", [`${service}AUTH_TOKEN`]: "secret" }), {
    baseUrl: "http://127.0.0.1:5000",
    authToken: "secret",
  });
  const urls = {
    "0.0.0.0": "http://127.0.0.1:5000",
    "::": "http://[::1]:5000",
    "[::]": "http://[::1]:5000",
    "0:0:0:0:0:0:0:0": "http://[::1]:5000",
    "::ffff:0.0.0.0": "http://127.0.0.1:5000",
    "::1": "http://[::1]:5000",
    "127.0.0.2": "http://127.0.0.2:5000",
    Localhost: "http://localhost:5000",
    "": "http://127.0.0.1:5000",
  };
  for (const [host, baseUrl] of Object.entries(urls))
    t.match(readLocal({ [`${service}HOST`]: host, [`${service}PORT`]: "5000" }), { baseUrl }, host);
});

t.test("what the host says of the router wins over the service's variables", async (t) => {
  const env = {
    [`${service}HOST`]: "192.168.1.7",
    [`${service}PORT`]: "0",
    [`${service}AUTH_TOKEN_FILE`]: "/nowhere",
    [`${api}BASE_URL`]: "http://127.0.0.1:7000",
    [`${api}AUTH_TOKEN`]: "own",
  };
  t.match(readLocal(env), { baseUrl: "http://127.0.0.1:7000", authToken: "own" });
  t.match(readLocal({ [`${api}BASE_URL`]: "http://[::1]:7000", [`${service}AUTH_TOKEN`]: "derived" }), {
    baseUrl: "http://[::1]:7000",
    authToken: "derived",
  });
});

t.test("a derived token goes to loopback only, and an address that is no address is a fault", async (t) => {
  const token = { [`${service}AUTH_TOKEN`]: "secret" };
  for (const host of ["192.168.1.7", "2001:db8::1", "box.lan", "127.0.0.1.example.com", "fe80::1%eth0"]) {
    t.match(readLocal({ ...token, [`${service}HOST`]: host }), [
      /^CODEX_NATIVE_API_HOST: ".*" is not an address of loopback.*set CODEXBRIDGE_INTERNAL_NATIVE_API_BASE_URL$/,
    ]);
  }
  for (const host of ["127.0.0.1/@example.com", "a b", "127.0.0.1:80", "user@127.0.0.1"])
    t.match(readLocal({ [`${service}HOST`]: host }), [/^CODEX_NATIVE_API_HOST: ".*" is not allowed/], host);
  t.match(readLocal({ [`${service}PORT`]: "0" }), [
    /^CODEX_NATIVE_API_PORT: with 0 the service picks its port/,
  ]);
  for (const port of ["65536", "-1", "1e3", "80 ", "http"])
    t.match(readLocal({ [`${service}PORT`]: port }), [/^CODEX_NATIVE_API_PORT: ".*" is not allowed/], port);
});

t.test("a token file is read as the service reads it, and its faults are named", async (t) => {
  const file = (path: string) => ({ [`${service}AUTH_TOKEN_FILE`]: path });
  t.match(readLocal(file("token"), { "/srv/app/token": "from-the-file\n" }), { authToken: "from-the-file" });
  t.match(readLocal(file("~/token"), { "/home/ada/token": "of-ada" }), { authToken: "of-ada" });
  t.strictSame(readLocal(file("/etc/token")), [`${service}AUTH_TOKEN_FILE: there is no file /etc/token`]);
  t.match(readLocal(file("/etc/token"), { "/etc/token": "two words" }), [/must hold exactly one token/]);
  t.match(readLocal(file("/etc/token"), { "/etc/token": "" }), [/must hold exactly one token/]);
  t.match(readLocal({ ...file("/etc/token"), [`${service}AUTH_TOKEN`]: "x" }), [
    /sets the token a second time/,
  ]);
  const bad = readLocal({ [`${service}AUTH_TOKEN`]: "hush hush" });
  t.match(bad, [/^CODEX_NATIVE_API_AUTH_TOKEN: the value given \(not shown\)/]);
  t.notMatch(JSON.stringify(bad), /hush/);
});

t.test("off, the service's variables are not looked at", async (t) => {
  const env = { [`${service}HOST`]: "192.168.1.7", [`${service}AUTH_TOKEN_FILE`]: "/nowhere" };
  for (const enabled of [undefined, "", "0", "No", "OFF"])
    t.match(readSideTaskSettings({ ...env, [`${api}ENABLED`]: enabled }), {
      ok: true,
      settings: { localApi: null },
    });
  t.match(readSideTaskSettings({ [`${service}ENABLE`]: "1", [`${api}BASE_URL`]: "http://127.0.0.1:1" }), {
    ok: true,
    settings: { localApi: null },
  });
});

t.test("an unknown task class is a warning and has no effect", async (t) => {
  const read = readSideTaskSettings({
    [`${api}ENABLED`]: "yes",
    [`${api}TASK_CLASSES`]: "normalization,poetry,",
  });
  t.match(read, {
    ok: true,
    settings: { localApi: { taskClasses: ["normalization"] } },
    warnings: [
      {
        source: `${api}TASK_CLASSES`,
        given: '"poetry"',
        problem: /"poetry" is not a task class and has no effect/,
      },
    ],
  });
  t.match(readSideTaskSettings({ [`${api}ENABLED`]: "1", [`${api}TASK_CLASSES`]: "poetry" }), {
    ok: true,
    settings: { localApi: { taskClasses: [] } },
  });
});
