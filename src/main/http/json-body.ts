import type { FastifyInstance, FastifyRequest } from "fastify";
import { CodexNativeApiError } from "../errors.js";
import type { BodyLimits } from "./body-limits.js";
import { recordOf } from "./request-record.js";

const roomAgainAfterMs = 1_000;

/** Bodies are JSON and nothing else; any other media type is 415, which also keeps a page's plain form posts out. */
export function readJsonBodies(app: FastifyInstance, limits: BodyLimits): void {
  // It refuses `__proto__` keys, which would become the prototype of objects built from the body.
  const parse = app.getDefaultJsonParser("error", "ignore");
  app.removeAllContentTypeParsers();
  // Read here and not by fastify, whose limit cannot be changed once it listens.
  app.addContentTypeParser("application/json", (request, payload, done) => {
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding.toLowerCase() !== "identity") {
      done(new CodexNativeApiError("unsupported_media_type", "Send the body without a content encoding."));
      return;
    }
    readText(request, payload, limits.maxBytes).then(
      (text) =>
        void parse(request, text, (error, value) => {
          if (error === null) done(null, value);
          else
            done(
              new CodexNativeApiError("invalid_json", "The request body is not valid JSON.", {
                cause: error,
              }),
            );
        }),
      done,
    );
  });
}

/** A stream that is too long is left unread and not destroyed: its socket has still to carry the answer. */
function readText(
  request: FastifyRequest,
  payload: FastifyRequest["raw"],
  maxBytes: number,
): Promise<string> {
  const tooLarge = () =>
    new CodexNativeApiError("body_too_large", "The request body is larger than this server takes.");
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"]) > maxBytes) {
      reject(tooLarge());
      return;
    }
    const { body } = recordOf(request);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (outcome: () => void) => {
      payload.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
      outcome();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) settle(() => reject(tooLarge()));
      else if (!body.hold(chunk.length)) settle(() => reject(noRoom()));
      else chunks.push(chunk);
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, bytes).toString("utf8")));
    const onError = (cause: Error) => settle(() => reject(cutShort(cause)));
    const onClose = () => settle(() => reject(cutShort()));
    payload.on("data", onData).on("end", onEnd).on("error", onError).on("close", onClose);
  });
}

function cutShort(cause?: Error): CodexNativeApiError {
  const details = cause === undefined ? {} : { cause };
  return new CodexNativeApiError("invalid_request", "The body is not as long as it was said to be.", details);
}

function noRoom(): CodexNativeApiError {
  return new CodexNativeApiError(
    "queue_full",
    "The bodies of the requests under way fill what room there is.",
    {
      retryAfterMs: roomAgainAfterMs,
    },
  );
}
