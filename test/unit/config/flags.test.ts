import t from "tap";
import { allOptions } from "../../../src/main/config/options.js";
import { readFlags } from "../../../src/main/config/text-layers.js";

function read(...argv: readonly string[]) {
  const { layer, faults } = readFlags(argv, allOptions, "/srv/app");
  return {
    values: Object.fromEntries(layer.values),
    faults: faults.map((fault) => `${fault.source}: ${fault.problem}`),
  };
}

t.test("a flag takes its value behind a space or an equals sign", async (t) => {
  t.strictSame(read("--port", "1", "--workers=2").values, { "listen.port": 1, workers: 2 });
});

t.test("a flag in the place of a value means that the value was forgotten", async (t) => {
  const { values, faults } = read("--port", "--workers", "2");
  t.strictSame(faults, ["--port: needs a value: an integer from 0 to 65535"]);
  t.strictSame(values, {});
});

t.test("the last flag without its value is a fault", async (t) => {
  t.strictSame(read("--port").faults, ["--port: needs a value: an integer from 0 to 65535"]);
});

t.test("a flag given twice is a fault unless it adds up", async (t) => {
  t.strictSame(read("--port", "1", "--port", "2").faults, ["--port: is given more than once"]);
  const added = read("--allowed-hosts", "a.lan,b.lan", "--allowed-hosts", "c.lan");
  t.strictSame(added, { values: { "http.allowedHosts": ["a.lan", "b.lan", "c.lan"] }, faults: [] });
});

t.test("an unknown flag is refused with its likeliest meaning and swallows its value", async (t) => {
  t.strictSame(read("--turn_timeout_ms", "5").faults, [
    "--turn_timeout_ms: there is no such flag; did you mean --turn-timeout-ms?",
  ]);
  t.strictSame(read("--frobnicate=5").faults, ["--frobnicate: there is no such flag"]);
});

t.test("an unknown short flag is refused", async (t) => {
  t.strictSame(read("-x", "5").faults, ["-x: there is no such flag"]);
  t.strictSame(read("-p", "5").faults, [
    "-p: there is no such flag; write --port (docs/from-codexbridge.md)",
  ]);
});

t.test("there is no flag for the token, which would show in the process list", async (t) => {
  t.strictSame(read("--auth-token", "secret").faults, [
    "--auth-token: there is no such flag; a process list shows flags: give --auth-token-file FILE, or set CODEX_NATIVE_API_AUTH_TOKEN (docs/from-codexbridge.md)",
  ]);
});
