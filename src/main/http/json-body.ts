import type { FastifyInstance, FastifyRequest } from "fastify";
import { CodexNativeApiError } from "../errors.js";
import { anonymousCaller } from "./body/incoming-body.js";
import { recordOf } from "./request-record.js";

/** Bodies are JSON and nothing else; any other media type is 415, which also keeps a page's plain form posts out. */
export function readJsonBodies(app: FastifyInstance): void {
  // It refuses `__proto__` keys, which would become the prototype of objects built from the body.
  const parse = app.getDefaultJsonParser("error", "ignore");
  app.removeAllContentTypeParsers();
  // Read here and not by fastify, whose limit cannot be changed once it listens.
  app.addContentTypeParser("application/json", (request, _payload, done) => {
    readText(request).then((text) => {
      if (text === "" && request.routeOptions.config.needsBody !== true) {
        done(null, undefined);
        return;
      }
      void parse(request, text, (error, value) => {
        if (error === null) done(null, value);
        else
          done(
            new CodexNativeApiError("invalid_json", "The request body is not valid JSON.", { cause: error }),
          );
      });
    }, done);
  });
  // Clients name a type also where they send nothing.
  app.addContentTypeParser("*", (request, _payload, done) => {
    readNothing(request).then(() => done(null, undefined), done);
  });
}

async function readText(request: FastifyRequest): Promise<string> {
  if (isDeclared(request)) requirePlainJson(request);
  const { body, token } = recordOf(request);
  const chunks: Buffer[] = [];
  await body.read(token?.name ?? anonymousCaller, (chunk) => {
    if (chunks.length === 0) requirePlainJson(request);
    chunks.push(chunk);
  });
  return Buffer.concat(chunks).toString("utf8");
}

/** For requests that name another type: they must be empty. */
async function readNothing(request: FastifyRequest): Promise<void> {
  const refuse = () => {
    throw new CodexNativeApiError("unsupported_media_type", "Send the body as application/json.");
  };
  if (isDeclared(request)) refuse();
  await recordOf(request).body.read(anonymousCaller, refuse);
}

/** Whether a body is known to come before any of it has. */
function isDeclared({ headers }: FastifyRequest): boolean {
  return Number(headers["content-length"] ?? 0) > 0;
}

const charset = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]*))/gi;

function requirePlainJson({ headers }: FastifyRequest): void {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new CodexNativeApiError("unsupported_media_type", "Send the body without a content encoding.");
  }
  for (const [, quoted, plain] of (headers["content-type"] ?? "").matchAll(charset)) {
    if (/^utf-?8$/i.test(quoted ?? plain ?? "")) continue;
    throw new CodexNativeApiError(
      "unsupported_media_type",
      "Send the body in UTF-8, which is JSON's only charset.",
    );
  }
}
