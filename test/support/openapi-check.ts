/** Holds real exchanges against the OpenAPI document: whatever a test calls must be in it as it was answered. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { buildOpenApiDocument, type OpenApiDocument } from "../../src/main/http/openapi/document.js";
import { type Answer, strayErrors } from "../../src/main/http/openapi/error-answers.js";
import type { DescribedOperation, PathItem } from "../../src/main/http/openapi/paths.js";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { routes } from "./registered-routes.js";

export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Of the request, as text or parsed; undefined where there was none. */
  readonly requestBody?: unknown;
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const documentId = "openapi";

class DocumentChecker {
  /** Answers may hold no more than it says. */
  readonly #document: OpenApiDocument = buildOpenApiDocument({
    version: "0.0.0-test",
    serverUrl: "/",
    routes,
    closed: true,
  });
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor() {
    this.#ajv.addSchema({ $id: documentId, components: this.#document.components });
  }

  /** What is wrong with the exchange; nothing where it is as documented. */
  check(exchange: Exchange): readonly string[] {
    const found = this.#find(exchange);
    if (found === null) return isRefusal(exchange) ? [] : [`${exchange.path} is no documented path`];
    const operation = operationOf(found.item, exchange.method);
    if (operation === undefined) return isRefusal(exchange) ? [] : [`${exchange.method} is not documented`];
    const at = `${found.path}/${exchange.method.toLowerCase()}`;
    return [
      ...this.#checkAnswer(at, operation, exchange),
      ...(exchange.status < 300 ? this.#checkRequest(at, operation, exchange) : []),
    ];
  }

  #find({ path }: Exchange): { readonly path: string; readonly item: PathItem } | null {
    const plain = path.split("?")[0] ?? "";
    const exact = this.#document.paths[plain];
    if (exact !== undefined) return { path: plain, item: exact };
    for (const [template, item] of Object.entries(this.#document.paths)) {
      if (new RegExp(`^${template.replace(/\{[a-z_]+\}/g, "[^/]+")}$`).test(plain)) {
        return { path: template, item };
      }
    }
    return null;
  }

  #checkAnswer(at: string, operation: DescribedOperation, exchange: Exchange): readonly string[] {
    const code = errorCodeOf(exchange);
    // A route can be left out by its host, and a path can only look like a route's.
    if (strayErrors.some((stray) => stray === code)) return [];
    const answer: Answer | undefined = operation.responses[String(exchange.status)];
    if (answer === undefined) return [`${at}: status ${exchange.status} is not documented`];
    const type = exchange.contentType.split(";")[0] ?? "";
    const media = answer.content?.[type];
    if (media === undefined) return [`${at}: ${exchange.status} as '${type}' is not documented`];
    if (code !== null && !answer.description.includes(`\`${code}\``)) {
      return [`${at}: the error ${code} is not documented`];
    }
    if (type.startsWith("text/") && type !== "text/event-stream") return [];
    const values: readonly unknown[] =
      type === "text/event-stream" ? readEventData(exchange.text) : [JSON.parse(exchange.text)];
    return values.flatMap((value) => this.#validate(`${at} ${exchange.status}`, media.schema, value));
  }

  #checkRequest(at: string, { requestBody }: DescribedOperation, exchange: Exchange): readonly string[] {
    const schema = requestBody?.content["application/json"]?.schema;
    if (schema === undefined || exchange.requestBody === undefined) return [];
    const { requestBody: body } = exchange;
    return this.#validate(`${at} request`, schema, typeof body === "string" ? JSON.parse(body) : body);
  }

  #validate(at: string, schema: object, value: unknown): readonly string[] {
    const text = JSON.stringify(schema).replaceAll('"#/', `"${documentId}#/`);
    const validate = this.#compiled.get(text) ?? this.#ajv.compile(JSON.parse(text));
    this.#compiled.set(text, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${at}: ${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }
}

let checker: DocumentChecker | null = null;

/** @throws Error that names what the document does not have. */
export function assertDocumented(exchange: Exchange): void {
  if (exchange.method === "HEAD" || exchange.method === "OPTIONS") return;
  checker ??= new DocumentChecker();
  const faults = checker.check(exchange);
  if (faults.length === 0) return;
  throw new Error(
    `not as the OpenAPI document has it:\n${faults.join("\n")}\n${exchange.text.slice(0, 2000)}`,
  );
}

function operationOf(item: PathItem, method: string): DescribedOperation | undefined {
  if (method === "GET") return item.get;
  if (method === "POST") return item.post;
  return method === "DELETE" ? item.delete : undefined;
}

/** Of the guards, which stand before every path, and of what is no route. */
function isRefusal(exchange: Exchange): boolean {
  return exchange.status >= 400 && errorCodeOf(exchange) !== null;
}

function errorCodeOf({ status, contentType, text }: Exchange): string | null {
  if (status < 400 || !contentType.startsWith("application/json")) return null;
  const body: unknown = JSON.parse(text);
  const error = isJsonObject(body) ? body.error : null;
  return isJsonObject(error) && typeof error.code === "string" ? error.code : null;
}

function readEventData(text: string): readonly unknown[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: ") && line !== "data: [DONE]")
    .map((line): unknown => JSON.parse(line.slice("data: ".length)));
}
