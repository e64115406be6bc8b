import { fastify } from "fastify";
import t from "tap";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { dialects } from "../../src/main/dialects/table.js";
import { Exchanges } from "../../src/main/exchange/exchanges.js";
import { addRoutes } from "../../src/main/http/build-app.js";
import { CallerTurns, InFlight } from "../../src/main/http/in-flight.js";
import { buildOpenApiDocument } from "../../src/main/http/openapi/document.js";
import { LoopShare } from "../../src/workers/contract/pace.js";
import { FakeRuntime } from "../support/fake-runtime.js";
import { call, serveFake } from "../support/http-fixture.js";

const document = buildOpenApiDocument({ version: "0.0.0-test", serverUrl: "/" });

t.test("the document is served to all, for it holds no secret", async (t) => {
  const fixture = await serveFake(t, { authToken: "a-token-of-some-length" });
  const answer = await call(fixture, "/openapi.json");
  t.equal(answer.status, 200);
  t.equal(answer.headers["content-type"], "application/json; charset=utf-8");
  t.strictSame(answer.json(), JSON.parse(JSON.stringify(document)));
});

t.test("a page that points its own name at this machine does not get it", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/openapi.json", { headers: { host: "evil.example" } });
  t.equal(answer.status, 403);
});

t.test("a page of another origin does not get it", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/openapi.json", { headers: { origin: "https://evil.example" } });
  t.equal(answer.status, 403);
});

t.test("routes and methods of the listener and of the document are the same", async (t) => {
  const app = fastify();
  const urls = new Set<string>();
  app.addHook("onRoute", ({ url }) => {
    urls.add(url);
  });
  const runtime = new FakeRuntime();
  const registry = new InMemoryCodexNativeApiContinuationRegistry();
  const wallClock = () => 0;
  addRoutes(app, {
    options: {
      metrics: { observeRequest: () => {}, render: async () => ({ contentType: "text/plain", text: "" }) },
    },
    dialects,
    inFlight: new InFlight(),
    context: {
      runtime,
      registry,
      exchanges: new Exchanges({
        runtime,
        registry,
        loopShare: new LoopShare(),
        wallClock,
        clock: () => 0,
        newId: (prefix) => prefix,
      }),
      callerTurns: new CallerTurns(),
      loopShare: new LoopShare(),
      unsupportedParameters: "ignore",
      keepAliveCommentMs: 1000,
      streamHeadHoldMs: 1000,
      limits: {},
      version: "0.0.0-test",
      localhostOnly: true,
      logger: undefined,
      wallClock,
      clock: () => 0,
    },
  });
  t.teardown(() => app.close());
  const routes: Record<string, readonly string[]> = {};
  for (const url of urls) {
    // A method that no route has is answered with those that it has.
    const { headers } = await app.inject({ method: "PATCH", url: url.replaceAll(":", "x") });
    const methods = String(headers.allow).split(", ");
    routes[url.replace(/:([a-z_]+)/g, "{$1}")] = methods.filter((method) => method !== "HEAD").sort();
  }
  t.strictSame(
    routes,
    Object.fromEntries(
      Object.entries(document.paths).map(([path, item]) => [
        path,
        Object.keys(item)
          .map((method) => method.toUpperCase())
          .sort(),
      ]),
    ),
  );
});

t.test("the examples of requests are taken, and answered as documented", async (t) => {
  const fixture = await serveFake(t);
  for (const path of ["/v1/responses", "/v1/chat/completions"]) {
    const media = document.paths[path]?.post?.requestBody?.content["application/json"];
    const examples = Object.entries(media?.examples ?? {});
    t.equal(examples.length, 4, path);
    for (const [name, example] of examples) {
      if (!("value" in example)) continue;
      const answer = await call(fixture, path, { body: JSON.stringify(example.value) });
      t.equal(answer.status, 200, `${path}: ${name}`);
    }
  }
});
