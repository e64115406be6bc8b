import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import {
  type ModelCatalogResult,
  type RenderModelCatalogOptions,
  renderModelCatalog,
} from "../../../../src/main/codex/catalog/model-catalog.js";
import { makeDirectory, type WithTeardown, writeScript } from "../fixtures.js";

interface Setting {
  readonly directory: string;
  readonly calls: () => Promise<number>;
  readonly print: (catalog: string) => Promise<void>;
  readonly render: (options?: Partial<RenderModelCatalogOptions>) => Promise<ModelCatalogResult>;
}

const catalog = JSON.stringify({
  etag: "x",
  models: [
    {
      slug: "a",
      tool_mode: "code_mode_only",
      use_responses_lite: true,
      context_window: 10,
      default_reasoning_level: "low",
    },
    { slug: "b", apply_patch_tool_type: "freeform" },
  ],
});

/** Values in Codex's own catalog that the derived catalogs overwrite. */
const models = [
  { id: "a", defaultReasoningEffort: "low", usesResponsesLite: true },
  { id: "b", defaultReasoningEffort: null, usesResponsesLite: false },
];

/** A fake Codex that prints the test's catalog. */
async function setUp(t: WithTeardown): Promise<Setting> {
  const root = await makeDirectory(t);
  const directory = join(root, "catalogs");
  const path = await writeScript(join(root, "codex"), `echo "$@" >> ${root}/calls; cat ${root}/printed`);
  await writeFile(join(root, "printed"), catalog);
  const render = (options: Partial<RenderModelCatalogOptions> = {}): Promise<ModelCatalogResult> =>
    renderModelCatalog({
      binary: { path, source: "configured", version: "1.2.3" },
      env: { PATH: "/usr/bin:/bin" },
      configArgs: ["-c", "x=1"],
      cwd: root,
      codexHome: root,
      login: null,
      directory,
      profile: "lean",
      cacheMaxAgeMs: 60_000,
      wallClock: () => 1_000,
      timeoutMs: 10_000,
      ...options,
    });
  return {
    directory,
    render,
    calls: async () => (await readFile(join(root, "calls"), "utf8").catch(() => "")).split("\n").length - 1,
    print: (content) => writeFile(join(root, "printed"), content),
  };
}

async function renderPath(
  render: Setting["render"],
  options?: Partial<RenderModelCatalogOptions>,
): Promise<string> {
  const result = await render(options);
  if (result.status !== "rendered") throw new Error(result.reason);
  return result.path;
}

t.test("every model loses its tool harness and keeps everything else", async (t) => {
  const { render } = await setUp(t);
  const result = await render();
  t.match(result, { status: "rendered", models, source: "codex" });
  if (result.status !== "rendered") throw new Error(result.reason);
  const { path, paths } = result;
  const lean = {
    tool_mode: null,
    multi_agent_version: null,
    experimental_supported_tools: [],
    apply_patch_tool_type: null,
    supports_search_tool: false,
    supports_parallel_tool_calls: true,
    context_window: null,
    max_context_window: null,
    default_verbosity: null,
    default_reasoning_level: null,
  };
  t.same(JSON.parse(await readFile(path, "utf8")), {
    etag: "x",
    models: [
      { slug: "a", use_responses_lite: true, ...lean },
      { slug: "b", ...lean },
    ],
  });
  for (const [form, isLite] of [["lean", false] as const, ["lean_lite", true] as const]) {
    const inForm = { ...lean, use_responses_lite: isLite };
    t.same(
      JSON.parse(await readFile(paths[form], "utf8")),
      {
        etag: "x",
        models: [
          { slug: "a", ...inForm },
          { slug: "b", ...inForm },
        ],
      },
      form,
    );
  }
  t.equal((await stat(path)).mode & 0o777, 0o600);
});

t.test("if threads cannot have catalogs of their own, all models have the older form", async (t) => {
  const { render, directory } = await setUp(t);
  const binary = { path: join(directory, "..", "codex"), source: "path", version: "0.160.0" } as const;
  const path = await renderPath(render, { binary });
  t.match(JSON.parse(await readFile(path, "utf8")), {
    models: [
      { slug: "a", use_responses_lite: false },
      { slug: "b", use_responses_lite: false },
    ],
  });
});

t.test("the codex profile removes only the tools", async (t) => {
  const path = await renderPath((await setUp(t)).render, { profile: "codex" });
  const withoutTools = {
    tool_mode: null,
    multi_agent_version: null,
    experimental_supported_tools: [],
    apply_patch_tool_type: null,
    supports_search_tool: false,
  };
  t.match(JSON.parse(await readFile(path, "utf8")), {
    models: [
      { slug: "a", use_responses_lite: true, context_window: 10, ...withoutTools },
      { slug: "b", ...withoutTools },
    ],
  });
});

t.test("a recent catalog of the same binary, account and configuration is not rendered again", async (t) => {
  const { render, calls } = await setUp(t);
  const first = await renderPath(render);
  t.match(await render(), { status: "rendered", path: first, models, source: "cache" });
  t.equal(await calls(), 1);
});

t.test("age, another binary, login or configuration causes another rendering", async (t) => {
  const { render, calls, directory } = await setUp(t);
  await render();
  await render({ wallClock: () => 62_000 });
  t.equal(await calls(), 2, "age");
  await render({ binary: { path: join(directory, "..", "codex"), source: "path", version: "1.2.4" } });
  t.equal(await calls(), 3, "version");
  await render({ login: "another" });
  t.equal(await calls(), 4, "login");
  await writeFile(join(directory, "..", "config.toml"), 'openai_base_url = "http://x"');
  await render({ login: "another" });
  t.equal(await calls(), 5, "configuration");
  await render({ configArgs: [] });
  t.equal(await calls(), 6, "arguments");
  await render({ configArgs: [], cacheMaxAgeMs: 0 });
  t.equal(await calls(), 7, "maximum age 0");
});

t.test("a clock that was set back does not keep a catalog forever", async (t) => {
  const { render, calls } = await setUp(t);
  await render({ wallClock: () => 9_000_000 });
  await render({ wallClock: () => 1_000 });
  t.equal(await calls(), 2);
});

t.test("the path changes only with the content", async (t) => {
  const { render, print, directory } = await setUp(t);
  const first = await renderPath(render, { cacheMaxAgeMs: 0 });
  t.equal(await renderPath(render, { cacheMaxAgeMs: 0 }), first);
  await print('{"models": [{"slug": "c"}]}');
  t.not(await renderPath(render, { cacheMaxAgeMs: 0 }), first);
  await print('{"models": [{"slug": "d"}]}');
  await renderPath(render, { cacheMaxAgeMs: 0 });
  t.equal((await readdir(directory)).length, 9, "the index, the four catalogs and the previous four");
});

t.test("a cached catalog in an older format is rendered again", async (t) => {
  const { render, calls, directory } = await setUp(t);
  await render();
  const index = join(directory, "index.json");
  const kept = JSON.parse(await readFile(index, "utf8"));
  await writeFile(index, JSON.stringify({ ...kept, models: ["a", "b"] }));
  t.match(await render(), { status: "rendered", models, source: "codex" });
  t.equal(await calls(), 2);
});

t.test("after a failure a cached catalog is used, however old", async (t) => {
  const { render, print } = await setUp(t);
  const first = await renderPath(render);
  await print("not json");
  t.match(await render({ wallClock: () => 9_000_000 }), { status: "rendered", path: first, source: "cache" });
});

for (const [name, printed] of [
  ["no JSON", "Error: what?"],
  ["no models", '{"models": []}'],
  ["another shape", '{"models": [{"id": "a"}]}'],
] as const) {
  t.test(`output with ${name} is a named degradation`, async (t) => {
    const { render, print } = await setUp(t);
    await print(printed);
    t.match(await render(), {
      status: "degraded",
      name: "derived_catalog_unavailable",
      reason: /debug models/,
    });
  });
}

t.test("a Codex that fails, hangs or is missing is a named degradation", async (t) => {
  const { render } = await setUp(t);
  const root = await makeDirectory(t);
  const failing = await writeScript(join(root, "failing"), "exit 2");
  const hanging = await writeScript(join(root, "hanging"), "sleep 600");
  const at = (path: string) => ({ binary: { path, source: "configured" as const, version: "1.0.0" } });
  t.match(await render(at(failing)), { status: "degraded", reason: /code 2/ });
  t.match(await render({ ...at(hanging), timeoutMs: 300 }), { status: "degraded", reason: /in time/ });
  t.match(await render(at(join(root, "missing"))), { status: "degraded" });
});

t.test("a damaged cache counts as missing", async (t) => {
  const { render, calls, directory } = await setUp(t);
  await render();
  await writeFile(join(directory, "index.json"), '{"key": 1}');
  t.match(await render(), { status: "rendered", source: "codex" });
  t.equal(await calls(), 2);
});
