import { readFileSync } from "node:fs";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import t from "tap";
import type { z } from "zod";
import type { ErrorBody } from "../../src/main/dialects/answers/error-body.js";
import type { NativeApi } from "../../src/main/dialects/answers/native-api.js";
import * as chatParameters from "../../src/main/dialects/chat-completions/parameters.js";
import type { ChatChunk, ChatCompletion } from "../../src/main/dialects/chat-completions/wire-types.js";
import * as responsesParameters from "../../src/main/dialects/responses/parameters.js";
import type { ResponseObject } from "../../src/main/dialects/responses/response-object.js";
import type { ResponseEvent } from "../../src/main/dialects/responses/wire-events.js";
import { errorCodes } from "../../src/main/errors.js";
import type { describeHealth } from "../../src/main/http/health-report.js";
import type { answerSchemas } from "../../src/main/http/openapi/answers/index.js";
import { buildOpenApiDocument } from "../../src/main/http/openapi/document.js";
import { strayErrors } from "../../src/main/http/openapi/error-answers.js";
import { chatNotes, responsesNotes } from "../../src/main/http/openapi/request-bodies.js";
import { assertDocumented } from "../support/openapi-check.js";
import { openApiFile, renderOpenApiFile } from "../support/openapi-file.js";

const document = buildOpenApiDocument({ version: "1.2.3", serverUrl: "http://127.0.0.1:43182" });

/** Ours without `readonly`, which zod's types do not have. */
type Plain<T> = unknown extends T
  ? T
  : T extends readonly (infer Entry)[]
    ? Plain<Entry>[]
    : T extends object
      ? { -readonly [Key in keyof T]: Plain<T[Key]> }
      : T;

type Answers = typeof answerSchemas;
type Health = ReturnType<typeof describeHealth>;
type Described<Name extends keyof Answers> = z.output<Answers[Name]>;

/** The compiler sees that all we send fits what is described. */
export const described = {
  nativeApi: (sent: Plain<NativeApi>): Described<"NativeApi"> => sent,
  error: (sent: Plain<ErrorBody>): Described<"Error"> => sent,
  response: (sent: Plain<ResponseObject>): Described<"Response"> => sent,
  event: (sent: Plain<ResponseEvent>): Described<"ResponseEvent"> => sent,
  completion: (sent: Plain<ChatCompletion>): Described<"ChatCompletion"> => sent,
  chunk: (sent: Plain<ChatChunk>): Described<"ChatCompletionChunk"> => sent,
  health: (sent: Plain<Health>): Described<"Health"> => sent,
};

/** Names of what is sent and not described, which assignability alone lets pass. */
type Undescribed<Sent, Said> = Sent extends readonly (infer Entry)[]
  ? Undescribed<Entry, Said extends readonly (infer Item)[] ? Item : unknown>
  : Sent extends object
    ? {
        [Key in keyof Sent]: Key extends keyof NonNullable<Said>
          ? Undescribed<NonNullable<Sent[Key]>, NonNullable<NonNullable<Said>[Key]>>
          : Key;
      }[keyof Sent]
    : never;

/** The compiler names the field that is missing. */
export type UndescribedField =
  | Undescribed<Health, Described<"Health">>
  | Undescribed<NativeApi, Described<"NativeApi">>
  | Undescribed<ErrorBody, Described<"Error">>;
export const nothingIsUndescribed = (field: UndescribedField): never => field;

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

t.test("what each parameter with a place does is told", async (t) => {
  for (const [{ parameterFates }, notes] of [
    [responsesParameters, responsesNotes],
    [chatParameters, chatNotes],
  ] as const) {
    const mapped = Object.keys(parameterFates).filter((name) => parameterFates[name] === "mapped");
    t.strictSame(Object.keys(notes).sort(), mapped.sort());
  }
});

t.test("every parameter that the schemas know has a fate", async (t) => {
  const { ResponseRequest, ChatCompletionRequest } = document.components.schemas;
  for (const [schema, { parameterFates, refusals }] of [
    [ResponseRequest, responsesParameters],
    [ChatCompletionRequest, chatParameters],
  ] as const) {
    const names = Object.keys(schema?.properties ?? {});
    t.strictSame(
      names.filter((name) => !(name in parameterFates) && !(name in refusals)),
      [],
    );
  }
});
