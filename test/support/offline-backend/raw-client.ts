import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { WebSocket } from "ws";
import { isJsonObject, type JsonObject, parseJsonObject } from "./json.js";

/** A model client without Codex: for tests of the backend itself and for measuring it. */
export function requestBody(said: string, more: JsonObject = {}): JsonObject {
  const message = { type: "message", role: "user", content: [{ type: "input_text", text: said }] };
  return { model: "gpt-offline", input: [message], stream: true, ...more };
}

export async function post(origin: string, path: string, body: JsonObject): Promise<IncomingMessage> {
  const call = request(`${origin}${path}`, { method: "POST", agent: false });
  call.end(JSON.stringify(body));
  const [response] = await once(call, "response");
  return response;
}

export async function readText(response: IncomingMessage): Promise<string> {
  let content = "";
  response.setEncoding("utf8");
  for await (const chunk of response) {
    content += String(chunk);
  }
  return content;
}

export function parseEvents(stream: string): JsonObject[] {
  return stream
    .split("\n\n")
    .map((block) => parseJsonObject(block.replace(/^event: .*\ndata: /, "")))
    .filter((event) => event !== undefined);
}

export async function askBySse(origin: string, said: string): Promise<JsonObject[]> {
  return parseEvents(await readText(await post(origin, "/v1/responses", requestBody(said))));
}

export function typesOf(events: readonly JsonObject[]): unknown[] {
  return events.map((event) => event.type);
}

export function finalResponse(events: readonly JsonObject[]): JsonObject {
  const response = events.at(-1)?.response;
  return isJsonObject(response) ? response : {};
}

/** Sends a request over an open connection and collects its events up to the last one. */
export async function askByWebSocket(socket: WebSocket, body: JsonObject): Promise<JsonObject[]> {
  const events: JsonObject[] = [];
  const ended = new Promise<void>((resolve) => {
    const receive = (data: unknown): void => {
      const event = parseJsonObject(String(data)) ?? {};
      events.push(event);
      if (/^(response\.(completed|failed|incomplete)|error)$/.test(String(event.type))) {
        socket.off("message", receive);
        resolve();
      }
    };
    socket.on("message", receive);
  });
  socket.send(JSON.stringify({ type: "response.create", ...body }));
  await ended;
  return events.filter((event) => event.type !== "codex.rate_limits");
}

export async function connectWebSocket(origin: string): Promise<WebSocket> {
  const socket = new WebSocket(`${origin.replace("http", "ws")}/v1/responses`);
  await once(socket, "open");
  return socket;
}
