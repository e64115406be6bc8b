import type { FastifyInstance, FastifyRequest } from "fastify";
import type { LoopShare } from "../../workers/contract/pace.js";
import type { JsonBody } from "../dialects/requests/parse-body.js";
import { CodexNativeApiError } from "../errors.js";
import { anonymousCaller, type BodyLimits } from "./body/incoming-body.js";
import type { JsonBounds } from "./body/json-scan.js";
import { ParsedBody, ReceivedBody } from "./body/received-body.js";
import { recordOf } from "./request-record.js";

/** Most bytes of a body that are scanned in one round of the event loop. */
const scannedAtOnceBytes = 256 * 1024;

/** Accepts JSON bodies only. Any other media type is answered with 415, which also keeps a page's plain form posts out. */
export function readJsonBodies(app: FastifyInstance, limits: BodyLimits, share: LoopShare): void {
  app.removeAllContentTypeParsers();
  // Read here and not by fastify, whose limit cannot be changed once it listens.
  app.addContentTypeParser("application/json", (request, _payload, done) => {
    readJson(request, limits.bounds, share).then((body) => done(null, body), done);
  });
  // Clients name a type even if they send no body.
  app.addContentTypeParser("*", (request, _payload, done) => {
    readNothing(request).then(() => done(null, undefined), done);
  });
}

/** The body that a route reads; its value is undefined where there was none. */
export function bodyOf({ body }: FastifyRequest): JsonBody {
  return body instanceof ParsedBody ? body : new ParsedBody(undefined, noElements);
}

async function* noElements(): AsyncGenerator<never> {}

async function readJson(
  request: FastifyRequest,
  bounds: JsonBounds,
  share: LoopShare,
): Promise<JsonBody | undefined> {
  if (isDeclared(request)) requirePlainJson(request);
  const { body, token } = recordOf(request);
  const declared = request.headers["content-length"];
  const received = new ReceivedBody(declared === undefined ? null : Number(declared), bounds);
  let scannedBytes = 0;
  await body.read(token?.name ?? anonymousCaller, (chunk) => {
    if (received.length === 0) requirePlainJson(request);
    received.append(chunk);
    scannedBytes += chunk.length;
    if (scannedBytes < scannedAtOnceBytes) return undefined;
    scannedBytes = 0;
    return share.nextRound();
  });
  if (received.length === 0 && request.routeOptions.config.needsBody !== true) return undefined;
  return received.parse(share.start());
}

/** For requests that name another type: their body must be empty. */
async function readNothing(request: FastifyRequest): Promise<void> {
  const refuse = () => {
    throw unsupported("Send the body as application/json.");
  };
  if (isDeclared(request)) refuse();
  await recordOf(request).body.read(anonymousCaller, refuse);
}

/** Whether the head announces a body. */
function isDeclared({ headers }: FastifyRequest): boolean {
  return Number(headers["content-length"] ?? 0) > 0;
}

const charset = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]*))/gi;

function requirePlainJson({ headers }: FastifyRequest): void {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw unsupported("Send the body without a content encoding.");
  }
  for (const [, quoted, plain] of (headers["content-type"] ?? "").matchAll(charset)) {
    if (/^utf-?8$/i.test(quoted ?? plain ?? "")) continue;
    throw unsupported("Send the body in UTF-8, which is JSON's only charset.");
  }
}

function unsupported(message: string): CodexNativeApiError {
  return new CodexNativeApiError("unsupported_media_type", message);
}
