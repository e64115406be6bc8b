import type { FastifyInstance } from "fastify";
import { CodexNativeApiError } from "../errors.js";

/** Bodies are JSON and nothing else; any other media type is 415, which also keeps a page's plain form posts out. */
export function readJsonBodies(app: FastifyInstance): void {
  // It refuses `__proto__` keys, which would become the prototype of objects built from the body.
  const parse = app.getDefaultJsonParser("error", "ignore");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding.toLowerCase() !== "identity") {
      done(new CodexNativeApiError("unsupported_media_type", "Send the body without a content encoding."));
      return;
    }
    void parse(request, body, (error, value) => {
      if (error === null) done(null, value);
      else
        done(
          new CodexNativeApiError("invalid_json", "The request body is not valid JSON.", { cause: error }),
        );
    });
  });
}
