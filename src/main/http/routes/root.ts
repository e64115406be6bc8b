/** `GET /`: says what this is and how to call it, a browser by a page and a program by JSON. Nothing of this machine is in either. */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Operation, schemaRef } from "../../dialects/operation.js";
import { addRoute } from "../method-routes.js";
import type { RouteContext } from "../server-options.js";
import type { Service } from "../wire-answers.js";
import { stateTag } from "./state.js";

/** The service for a program that asks what it has found. */
export function describeService(version: string): Service {
  return {
    name: "codex-native-api",
    description: "An OpenAI-compatible API in front of the Codex that is logged in on this machine.",
    version,
    base_path: "/v1",
    routes: [
      "POST /v1/responses",
      "POST /v1/chat/completions",
      "POST /v1/decisions",
      "GET /v1/models",
      "GET /v1/health",
    ],
    openapi: "/openapi.json",
  };
}

/** Answered without a token: who finds the service may read how it is called. */
export function addRootRoute(app: FastifyInstance, { version }: Pick<RouteContext, "version">): void {
  const answer = (request: FastifyRequest, reply: FastifyReply) => {
    const vary = reply.getHeader("vary");
    reply.header("vary", vary === undefined ? "accept" : `accept, ${String(vary)}`);
    if (!prefersHtml(request.headers.accept)) return reply.send(describeService(version));
    return reply
      .headers(pageHeaders)
      .type("text/html; charset=utf-8")
      .send(renderPage(`http://${request.headers.host ?? ""}/v1`));
  };
  const operation: Operation = {
    id: "getService",
    tag: stateTag,
    summary: "What this is and how to call it",
    answers: {
      200: {
        description: "For a program JSON; for a browser, which accepts `text/html`, a page.",
        content: { "application/json": schemaRef("Service"), "text/html": { type: "string" } },
      },
    },
  };
  addRoute(app, "/", { GET: { ...operation, handler: answer } }, { public: true });
}

/** Whether HTML is named, and JSON is not named as the better one. */
function prefersHtml(accept = ""): boolean {
  const quality = (type: string) => {
    const range = accept.split(",").find((entry) => entry.split(";", 1)[0]?.trim().toLowerCase() === type);
    if (range === undefined) return 0;
    return Number(/;\s*q\s*=\s*([\d.]+)/i.exec(range)?.[1] ?? 1);
  };
  const html = quality("text/html");
  return html > 0 && html >= quality("application/json");
}

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
pre { padding: .75rem 1rem; border: 1px solid #8886; border-radius: 6px; overflow-x: auto; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
`;

/** The page has no script, loads nothing, sends nothing, and is shown in no frame. */
const pageHeaders = {
  "content-security-policy": [
    "default-src 'none'",
    `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

/** @param baseUrl by the name that the browser used, which the Host rules let pass. */
function renderPage(baseUrl: string): string {
  const url = escapeHtml(baseUrl);
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
<p>This is an API for programs: the Codex that is logged in on this machine, as OpenAI's clients call it. There is nothing to click here.</p>
<h2>Base URL</h2>
<pre><code>${url}</code></pre>
<p>If the service has a token, it is the API key. If it has none, any text is.</p>
<h2>curl</h2>
<pre><code>curl ${url}/responses \\
  -H "authorization: Bearer $CODEX_NATIVE_API_AUTH_TOKEN" \\
  -H "content-type: application/json" \\
  -d '{"input": "Say hello."}'</code></pre>
<h2>JavaScript</h2>
<pre><code>import OpenAI from "openai";

const apiKey = process.env.CODEX_NATIVE_API_AUTH_TOKEN ?? "none";
const client = new OpenAI({ baseURL: "${url}", apiKey });
const response = await client.responses.create({ input: "Say hello." });
console.log(response.output_text);</code></pre>
<h2>Python</h2>
<pre><code>import os
from openai import OpenAI

api_key = os.environ.get("CODEX_NATIVE_API_AUTH_TOKEN", "none")
client = OpenAI(base_url="${url}", api_key=api_key)
print(client.responses.create(input="Say hello.").output_text)</code></pre>
<p>Served are <code>/v1/responses</code>, <code>/v1/chat/completions</code>, <code>/v1/decisions</code> and <code>/v1/models</code>. <a href="/openapi.json">/openapi.json</a> describes all of it; <a href="/readyz">/readyz</a> says whether Codex can answer now.</p>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? "");
}
