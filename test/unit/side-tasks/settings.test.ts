import t from "tap";
import { readSideTaskSettings } from "../../../src/main/side-tasks/settings.js";
import { sideTaskClasses } from "../../../src/main/side-tasks/task-classes.js";

const api = "CODEXBRIDGE_INTERNAL_NATIVE_API_";
const fallback = "CODEX_NATIVE_API_FALLBACK_";

function faultsOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const read = readSideTaskSettings(env);
  return read.ok ? [] : read.faults.map(({ source, problem }) => `${source}: ${problem}`);
}

t.test("nothing set switches both routes off", async (t) => {
  const off = { ok: true, settings: { localApi: null, external: null } };
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
  });
});

t.test("every fault is told at once, and no secret", async (t) => {
  const faults = faultsOf({
    [`${api}ENABLED`]: "perhaps",
    [`${api}BASE_URL`]: "http://192.168.1.7:43182",
    [`${api}AUTH_TOKEN`]: "two words",
    [`${api}TASK_CLASSES`]: "normalization,poetry",
    [`${api}TIMEOUT_MS`]: "0",
    [`${api}TIMEOUT`]: "5",
    [`${fallback}BASE_URL`]: "https://user:password@api.example.com",
    [`${fallback}API_KEY`]: "bad key",
  });
  t.strictSame(faults, [
    `${api}ENABLED: "perhaps" is not allowed; it takes 1 or 0`,
    `${api}BASE_URL: "http://192.168.1.7:43182" is not allowed; it takes an http:// URL of this machine (loopback), such as http://127.0.0.1:43182`,
    `${api}AUTH_TOKEN: the value given (not shown) is not allowed; it takes visible ASCII characters without spaces`,
    `${api}TASK_CLASSES: "normalization,poetry" is not allowed; it takes names of task classes, separated by commas: intent_classification, normalization, small_verification, side_reasoning`,
    `${api}TIMEOUT_MS: "0" is not allowed; it takes an integer from 1 to 2147483647 (milliseconds)`,
    `${fallback}BASE_URL: the value given (not shown) is not allowed; it takes an http:// or https:// URL, such as https://api.example.com/v1`,
    `${fallback}API_KEY: the value given (not shown) is not allowed; it takes visible ASCII characters without spaces`,
    `${fallback}MODEL: is needed for an external provider`,
    `${api}TIMEOUT: there is no such environment variable`,
  ]);
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
  t.match(faultsOf(provider("http://models.example/v1", "key")), [/in the clear/]);
  t.strictSame(faultsOf(provider("http://models.example/v1", "")), []);
  t.strictSame(faultsOf(provider("http://127.0.0.1:11434/v1", "key")), []);
});
