import t from "tap";
import { describeConfig } from "../../../src/main/config/inspect-config.js";
import { loadConfig } from "../../../src/main/config/load-config.js";
import { fakeMachine } from "../../support/fake-machine.js";

const configFile = "/etc/api.json";

function load(aliases: unknown, env: Record<string, string> = {}, argv: readonly string[] = []) {
  const machine = fakeMachine({ [configFile]: JSON.stringify({ models: { aliases } }) });
  return loadConfig({ argv: ["--config", configFile, ...argv], env, machine });
}

function faultsOf(...given: Parameters<typeof load>): readonly string[] {
  const loaded = load(...given);
  return loaded.ok ? [] : loaded.faults.map(({ source, problem }) => `${source}: ${problem}`);
}

const expected = {
  fast: { model: "gpt-5.4", effort: "low", tier: "priority" },
  "gpt-4o": { model: "gpt-5.5" },
};

t.test("the file, a variable and a flag give the same aliases", async (t) => {
  const text = "fast=gpt-5.4?effort=low&tier=priority, gpt-4o=gpt-5.5";
  const ways = [
    load(expected),
    load({}, { CODEX_NATIVE_API_MODEL_ALIASES: text }),
    load({}, {}, ["--model-aliases", text]),
  ];
  for (const loaded of ways) {
    t.ok(loaded.ok);
    if (!loaded.ok) continue;
    t.strictSame({ ...loaded.config.models.aliases }, expected);
    const shown = describeConfig(loaded.config, loaded.origins).find(({ key }) => key === "models.aliases");
    t.strictSame(JSON.parse(shown?.value ?? ""), expected);
  }
});

t.test("each alias at fault is named", async (t) => {
  const words = "it takes an object with model and any of effort, tier; none holds spaces or any of ? & = ,";
  t.strictSame(
    faultsOf({ fast: { model: "a b" }, deep: { effort: "high" }, "gpt-4o": { model: "m", x: 1 } }),
    [
      `models.aliases.fast in ${configFile}: is not allowed; ${words}`,
      `models.aliases.deep in ${configFile}: is not allowed; ${words}`,
      `models.aliases.gpt-4o in ${configFile}: is not allowed; ${words}`,
    ],
  );
  for (const text of ["fast", "=gpt-5.5", "fast=gpt-5.5?efort=low", "fast="]) {
    t.match(
      faultsOf({}, { CODEX_NATIVE_API_MODEL_ALIASES: text }),
      [/^CODEX_NATIVE_API_MODEL_ALIASES/],
      text,
    );
  }
});

t.test("their number is bounded", async (t) => {
  const many = Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`name-${at}`, { model: "m" }]));
  t.match(faultsOf(many), [/at most 200 aliases/]);
});
