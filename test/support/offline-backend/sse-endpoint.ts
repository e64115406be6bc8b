import type { IncomingMessage, ServerResponse } from "node:http";
import { EventSink } from "./event-sink.js";
import { type Frame, newResponseId, ResponseContext } from "./frame.js";
import { sendJson } from "./http-exchange.js";
import type { ModelService } from "./model-service.js";
import { playReply } from "./play-reply.js";
import { parseModelRequestBody } from "./recorded-request.js";
import { renderResponse } from "./render-response.js";
import { readBody } from "./request-body.js";

/** `POST /v1/responses`: one request, answered by an event stream. */
export async function answerBySse(
  request: IncomingMessage,
  response: ServerResponse,
  service: ModelService,
): Promise<void> {
  const sink = new SseSink(response);
  response.once("close", () => sink.markClosed());
  const bytes = await readBody(request);
  const bodyText = bytes.toString("utf8");
  const body = parseModelRequestBody(bodyText);
  if (body === undefined) {
    service.counters.invalidModelRequests++;
    sendJson(response, 400, { error: { message: "Not a model request.", type: "invalid_request_error" } });
    return;
  }
  const responseId = newResponseId();
  const record = service.open({
    transport: "sse",
    headers: flattenHeaders(request),
    bodyText,
    bodyBytes: bytes.length,
    body,
    fullInput: body.input,
    responseId,
    isWarmup: false,
  });
  const reply = service.refusalFor(record) ?? service.nextReply(record);
  if (reply.startDelayMs > 0) {
    await sink.sleep(reply.startDelayMs);
  }
  if (sink.isClosed) {
    service.close(record, "client-closed");
    return;
  }
  if (reply.kind === "hang-up") {
    if (reply.how === "reset") request.socket.resetAndDestroy();
    else request.socket.end();
    service.close(record, "cut");
    return;
  }
  if (reply.kind === "http-error") {
    response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
    response.end(reply.bodyText);
    service.close(record, "http-error");
    return;
  }
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-request-id": `req_${responseId.slice(5)}`,
    ...service.rateLimits.toHeaders(),
  });
  const frames = renderResponse(reply, new ResponseContext(responseId, body.model));
  const outcome = await playReply(reply, frames, sink);
  if (!sink.isClosed && outcome !== "cut") {
    response.end();
  }
  service.close(record, outcome);
}

class SseSink extends EventSink {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    super();
    this.#response = response;
  }

  override write(frames: readonly Frame[]): Promise<void> | undefined {
    let chunk = "";
    for (const frame of frames) {
      chunk += `event: ${frame.type}\ndata: ${frame.json}\n\n`;
    }
    const response = this.#response;
    return response.write(chunk) ? undefined : this.until((done) => response.once("drain", done));
  }

  override cut(): void {
    // Destroying at once would take the events with it that are still on their way to the kernel.
    this.#response.write(":\n\n", () => this.#response.destroy());
  }
}

export function flattenHeaders(request: IncomingMessage): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) {
      flat[name] = Array.isArray(value) ? value.join(", ") : value;
    }
  }
  return flat;
}
