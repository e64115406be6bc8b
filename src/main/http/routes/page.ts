/** The page for browsers: its files, and the one-time codes by which it gets a token. */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { json, type OperationAnswer } from "../../dialects/operation.js";
import { parseBody } from "../../dialects/requests/parse-body.js";
import type { BuiltPage } from "../../page-files.js";
import { presentedToken } from "../access-policy.js";
import { bodyOf } from "../json-body.js";
import { addRoute, type Endpoint } from "../method-routes.js";
import { noSuchRoute } from "../missing-routes.js";
import { type PageCodes, pageCodeBounds } from "../page-codes.js";
import { recordOf } from "../request-record.js";
import type { PageCode, PageToken } from "../wire-page.js";
import type { SendPage } from "./root.js";

const tag = { name: "Page", description: "The page for browsers that `GET /` answers." };

export interface PageParts {
  readonly pageCodes: PageCodes;
  /** Read once, before the server listens. Null: there is no page. */
  readonly readPage: () => Promise<BuiltPage | null>;
}

/** Adds the routes of the page, and returns how the page itself is sent. */
export function addPageRoutes(app: FastifyInstance, { pageCodes, readPage }: PageParts): SendPage {
  let page: BuiltPage | null = null;
  app.addHook("onReady", async () => {
    page = await readPage();
  });
  const file: Endpoint = {
    id: "getPageFile",
    tag,
    summary: "A script or a style of the page",
    description:
      "Its name has a hash of its content, so that a browser may keep it. `GET /` names those of this version.",
    path,
    answers: { 200: fileAnswer },
    handler: (request, reply) => {
      const asset = page?.assets.get(path.parse(request.params).name);
      if (asset === undefined) throw noSuchRoute(request.url);
      return reply
        .headers({ ...fileHeaders, "cache-control": "public, max-age=31536000, immutable" })
        .type(asset.contentType)
        .send(asset.bytes);
    },
  };
  // No token: there is nothing of this machine in them, and a browser sends none for a script.
  addRoute(app, "/page/:name", { GET: file }, { public: true, quiet: true });
  addCodeRoutes(app, pageCodes);
  return (request, reply) => sendPage(page, request, reply);
}

const path = z.object({ name: z.string().describe("Name of the file.") });

const fileAnswer: OperationAnswer = {
  description: "The file.",
  content: { "text/javascript": { type: "string" }, "text/css": { type: "string" } },
};

function addCodeRoutes(app: FastifyInstance, pageCodes: PageCodes): void {
  const issue: Endpoint = {
    id: "createPageCode",
    tag,
    summary: "A one-time code for the page",
    description:
      "For a program that opens the page, which takes the code from behind the `#` of its address. It stands for the token of this request, " +
      "once, for 60 seconds. The token of a request that needs none is not kept.",
    answers: { 200: json("PageCode", "The code.") },
    handler: (request) => {
      const { token } = recordOf(request);
      const code = pageCodes.issue(
        token?.name ?? null,
        token === null ? null : presentedToken(request.headers),
      );
      const answer: PageCode = { object: "page_code", code, expires_in: pageCodeBounds.lifeMs / 1000 };
      return answer;
    },
  };
  addRoute(app, "/v1/page/codes", { POST: issue });
  const exchange: Endpoint = {
    id: "exchangePageCode",
    tag,
    summary: "The token that a one-time code stands for",
    body: { schema: exchangeSchema, examples: { code: { summary: "A code", value: { code: "Ck1…" } } } },
    answers: { 200: json("PageToken", "The token. The code has ended with that.") },
    errors: ["invalid_page_code", "page_code_attempts_exceeded"],
    handler: (request) => {
      const { code } = parseBody(exchangeBody, bodyOf(request).value, "invalid_request");
      const answer: PageToken = { object: "page_token", token: pageCodes.exchange(code) };
      return answer;
    },
  };
  addRoute(app, "/v1/page/tokens", { POST: exchange }, { public: true, needsBody: true });
}

const maxCodeChars = 128;

const exchangeBody = z.object({ code: z.string().min(1).max(maxCodeChars) });

const exchangeSchema = {
  type: "object",
  properties: { code: { type: "string", minLength: 1, maxLength: maxCodeChars } },
  required: ["code"],
};

/** Of all files: only pages of this origin may load them. */
const fileHeaders = {
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
} as const;

const documentHeaders = {
  ...fileHeaders,
  "cross-origin-opener-policy": "same-origin",
  "x-frame-options": "DENY",
} as const;

/** Runs its own scripts and calls this service; loads and sends nothing else, and is shown in no frame. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function sendPage(page: BuiltPage | null, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(documentHeaders);
  if (page !== null)
    return reply
      .header("content-security-policy", pagePolicy)
      .type(page.index.contentType)
      .send(page.index.bytes);
  return reply
    .header("content-security-policy", noticePolicy)
    .type("text/html; charset=utf-8")
    .send(renderNotice(`http://${request.headers.host ?? ""}/v1`));
}

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
`;

const noticePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** In place of the page. @param baseUrl by the name that the browser used, which the Host rules let pass. */
function renderNotice(baseUrl: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Codex Native API</title>
<style>${style}</style>
</head>
<body>
<h1>Codex Native API</h1>
<p>The service runs, but this copy of it has no page: the files of <code>dist/page</code> are missing. The API does not need them.</p>
<p>Base URL of OpenAI's clients: <code>${escapeHtml(baseUrl)}</code></p>
<p><a href="/openapi.json">/openapi.json</a> describes the API; <a href="/readyz">/readyz</a> says whether Codex can answer now.</p>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? "");
}
