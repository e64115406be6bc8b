import { sendJson } from "./http-exchange.js";
import { type Exchange, type Route, sendNotFound } from "./route.js";
import { answerBySse } from "./sse-endpoint.js";

/** What the provider's `base_url` is asked for. The WebSocket upgrade of `GET /responses` is no part of the table. */
export const modelRoutes: readonly Route[] = [
  {
    method: "POST",
    end: "/responses",
    answer: ({ request, response, parts }) => answerBySse(request, response, parts.service),
  },
  { method: "GET", end: "/models", answer: listModels },
];

function listModels(exchange: Exchange): void {
  const { request, response, parts } = exchange;
  parts.counters.modelsListCalls++;
  if (parts.catalog === undefined) {
    sendNotFound(exchange);
    return;
  }
  request.resume();
  sendJson(response, 200, parts.catalog);
}
