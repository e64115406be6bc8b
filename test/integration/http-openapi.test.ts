import { fastify } from "fastify";
import t from "tap";
import { buildOpenApiDocument } from "../../src/main/http/openapi/document.js";
import { call, serveFake } from "../support/http-fixture.js";
import { registerRoutes, routes as served } from "../support/registered-routes.js";

const document = buildOpenApiDocument({ version: "0.0.0-test", serverUrl: "/", routes: served });

t.test("the document is served to all, for it holds no secret, with the routes that there are", async (t) => {
  const fixture = await serveFake(t, { authToken: "a-token-of-some-length" });
  const answer = await call(fixture, "/openapi.json");
  t.equal(answer.status, 200);
  t.equal(answer.headers["content-type"], "application/json; charset=utf-8");
  const { "/metrics": _withoutSink, ...paths } = document.paths;
  t.strictSame(answer.json(), JSON.parse(JSON.stringify({ ...document, paths })));
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
  registerRoutes(app);
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
