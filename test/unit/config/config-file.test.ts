import t from "tap";
import { loadConfig } from "../../../src/main/config/load-config.js";
import type { FileRead } from "../../../src/main/config/machine.js";
import { fakeMachine } from "../../support/fake-machine.js";

const path = "/etc/api.json";

function loadFile(
  file: string | FileRead | null,
  env: Record<string, string> = { CODEX_NATIVE_API_CONFIG: path },
) {
  const loaded = loadConfig({ argv: [], env, machine: fakeMachine(file === null ? {} : { [path]: file }) });
  return loaded.ok ? loaded.config : loaded.faults.map(({ source, problem }) => `${source}: ${problem}`);
}

t.test("a file that was named has to be there", async (t) => {
  t.strictSame(loadFile(null), ["CODEX_NATIVE_API_CONFIG: there is no file /etc/api.json"]);
});

t.test("the default file may be missing", async (t) => {
  t.match(loadFile(null, {}), { logLevel: "info" });
});

t.test("a file that cannot be read says why", async (t) => {
  t.strictSame(loadFile({ kind: "unreadable", reason: "EACCES" }), [
    "CODEX_NATIVE_API_CONFIG: /etc/api.json cannot be read (EACCES)",
  ]);
});

t.test("a file that is not JSON says where, without quoting what may be a token", async (t) => {
  const [fault] = [loadFile('{"auth": {"token": "hush" oops}}')].flat();
  t.match(String(fault), /is not JSON: .+/);
  t.notMatch(String(fault), /hush/);
});

t.test("a file that holds no object is refused", async (t) => {
  t.strictSame(loadFile("[]"), ["CODEX_NATIVE_API_CONFIG: /etc/api.json must hold a JSON object"]);
});

t.test("a byte order mark and a $schema key are taken", async (t) => {
  t.match(loadFile('\uFEFF{"$schema": "./config.schema.json", "workers": 2}'), { workers: 2 });
});

t.test("a number in quotes is not a number", async (t) => {
  t.strictSame(loadFile('{"workers": "2"}'), [
    'workers in /etc/api.json: "2" is not allowed; it takes an integer from 1 to 64',
  ]);
});

t.test("a list with one bad element is one fault", async (t) => {
  t.strictSame(loadFile('{"http": {"allowedOrigins": ["https://a.example", "b", "c"]}}'), [
    'http.allowedOrigins in /etc/api.json: ["https://a.example","b","c"] is not allowed; it takes origins without a path, such as https://app.example or chrome-extension://ID, separated by commas',
  ]);
});

t.test("a key in the wrong group is led to the right one", async (t) => {
  t.strictSame(loadFile('{"port": 1}'), [
    "port in /etc/api.json: there is no such key; did you mean listen.port?",
  ]);
});

t.test("the config file cannot name a config file", async (t) => {
  t.match(loadFile('{"config": "/other.json"}'), ["config in /etc/api.json: there is no such key"]);
});

t.test("a token in a file that others may read is refused and not shown", async (t) => {
  const text = '{"auth": {"token": "0123456789abcdef"}}';
  t.strictSame(loadFile({ kind: "text", text, isPrivate: false }), [
    "auth.token in /etc/api.json: is a secret in a file that others may read; allow only yourself (chmod 600)",
  ]);
  t.match(loadFile(text), { auth: { token: "0123456789abcdef" } });
});
