import { readFileSync } from "node:fs";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import t from "tap";
import * as chatParameters from "../../src/main/dialects/chat-completions/parameters.js";
import * as decisionParameters from "../../src/main/dialects/decisions/parameters.js";
import * as responsesParameters from "../../src/main/dialects/responses/parameters.js";
import { errorCodes } from "../../src/main/errors.js";
import { buildOpenApiDocument } from "../../src/main/http/openapi/document.js";
import { strayErrors } from "../../src/main/http/openapi/error-answers.js";
import { assertDocumented } from "../support/openapi-check.js";
import { openApiFile, renderOpenApiFile } from "../support/openapi-file.js";
import { routes } from "../support/registered-routes.js";

const document = buildOpenApiDocument({ version: "1.2.3", serverUrl: "http://127.0.0.1:43182", routes });

t.test("docs/openapi.json is up to date (npm run generate)", async (t) => {
  t.equal(readFileSync(openApiFile, "utf8"), renderOpenApiFile());
});

t.test("a public linter, at its strictest, finds no fault with it", async (t) => {
  const config = await createConfig({
    extends: ["recommended-strict"],
    // Of a route that is known and not built.
    rules: { "operation-2xx-response": "off" },
  });
  const problems = await lintFromString({
    source: JSON.stringify(document),
    absoluteRef: openApiFile,
    config,
  });
  t.strictSame(
    problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    [],
  );
});

t.test("every error code is an answer of some operation, with its status", async (t) => {
  const told = new Set(
    Object.values(document.paths).flatMap((item) =>
      Object.values(item).flatMap(({ responses }) =>
        Object.values(responses).flatMap(({ description }) =>
          [...description.matchAll(/^`([a-z_]+)`: /gm)].map(([, code]) => code),
        ),
      ),
    ),
  );
  t.strictSame(
    errorCodes.filter((code) => !told.has(code) && !strayErrors.includes(code)),
    [],
  );
  t.strictSame(
    strayErrors.filter((code) => told.has(code)),
    [],
  );
});

t.test("the check of real exchanges notices what is not documented", async (t) => {
  const exchange = { method: "GET", path: "/v1/responses/x", status: 200, contentType: "application/json" };
  const deleted = { id: "x", object: "response", deleted: true };
  t.throws(() => assertDocumented({ ...exchange, text: JSON.stringify(deleted) }), /required/);
  const error = { message: "m", type: "t", param: null, code: "response_not_found" };
  const missing = { ...exchange, status: 404 };
  t.doesNotThrow(() => assertDocumented({ ...missing, text: JSON.stringify({ error }) }));
  const more = { error: { ...error, stack: "s" } };
  t.throws(() => assertDocumented({ ...missing, text: JSON.stringify(more) }), /additional properties/);
  const other = { error: { ...error, code: "queue_full" } };
  t.throws(
    () => assertDocumented({ ...missing, text: JSON.stringify(other) }),
    /queue_full is not documented/,
  );
  t.throws(() => assertDocumented({ ...missing, status: 418, text: "{}" }), /418 is not documented/);
});

t.test("every parameter that the schemas know has a support", async (t) => {
  const { ResponseRequest, ChatCompletionRequest, DecisionRequest } = document.components.schemas;
  for (const [schema, { parameters }] of [
    [ResponseRequest, responsesParameters],
    [ChatCompletionRequest, chatParameters],
    [DecisionRequest, decisionParameters],
  ] as const) {
    const names = Object.keys(schema?.properties ?? {});
    t.strictSame(
      names.filter((name) => !(name in parameters)),
      [],
    );
  }
});
