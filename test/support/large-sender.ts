/**
 * A client in a process of its own that sends one large body: `node large-sender.js JSON`, the JSON being a `LargeRequest`. Prints
 * what it was answered with, or the error that its user would see.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { request as nodeRequest } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface LargeRequest {
  readonly client: keyof typeof clients;
  readonly url: string;
  readonly method: "POST" | "PUT";
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

/** Status and body, or the code or message of an error. */
export async function sendLarge(options: LargeRequest): Promise<string> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(options)], {
    timeout: 60_000,
  });
  return stdout;
}

type Send = (options: LargeRequest, input: string) => Promise<string>;

const clients = {
  openai: async ({ url, headers, method }, input) => {
    const { OpenAI } = await import("openai");
    const { pathname, origin } = new URL(url);
    const client = new OpenAI({ baseURL: origin, apiKey: "none", maxRetries: 0, defaultHeaders: headers });
    const send = method === "POST" ? client.post.bind(client) : client.put.bind(client);
    try {
      return `200 ${JSON.stringify(await send(pathname, { body: { input } }))}`;
    } catch (error) {
      if (!(error instanceof OpenAI.APIError)) throw error;
      return `${error.status} ${JSON.stringify(error.error ?? error.message)}`;
    }
  },
  undici: async ({ url, headers, method }, input) => {
    const { request } = await import("undici");
    const answer = await request(url, { method, headers, body: JSON.stringify({ input }) });
    return `${answer.statusCode} ${await answer.body.text()}`;
  },
  "node:http": async ({ url, headers, method }, input) => {
    const sent = nodeRequest(url, { method, headers });
    // Also one that comes after the answer counts: it would end a program that does not expect it.
    const failed = new Promise<never>((_resolve, reject) => sent.on("error", reject));
    const answered = new Promise<string>((resolve) => {
      sent.on("response", (answer) => {
        void text(answer).then((body) => resolve(`${answer.statusCode} ${body}`));
      });
    });
    sent.end(JSON.stringify({ input }));
    const finished = once(sent, "close");
    const heard = await Promise.race([answered, failed]);
    await Promise.race([finished, failed]);
    return heard;
  },
  /** As most clients without an event loop: reads when all is sent, and not before. */
  "write, then read": async ({ url, headers, method }, input) => {
    const { hostname, port, pathname } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true }).pause();
    await once(socket, "connect");
    const body = JSON.stringify({ input });
    const lines = Object.entries({ host: "localhost", ...headers, "content-length": body.length }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const failed = once(socket, "error").then(([error]) => Promise.reject(error));
    socket.write(`${method} ${pathname} HTTP/1.1\r\n${lines.join("")}\r\n`);
    const written = new Promise<void>((resolve) => socket.write(body, () => resolve()));
    await Promise.race([written, failed]);
    let heard = "";
    socket.on("data", (chunk) => {
      heard += chunk.toString();
      if (heard.endsWith("}}")) socket.destroy();
    });
    socket.resume();
    await Promise.race([once(socket, "close"), failed]);
    return heard.slice("HTTP/1.1 ".length);
  },
} as const satisfies Record<string, Send>;

export const largeClients = Object.keys(clients).filter(isClient);

function isClient(name: string): name is keyof typeof clients {
  return Object.hasOwn(clients, name);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options: LargeRequest = JSON.parse(process.argv[2] ?? "{}");
  const send: Send = clients[options.client];
  try {
    process.stdout.write(await send(options, "x".repeat(options.bytes)));
  } catch (error) {
    process.stdout.write(`error ${String(error)} ${error instanceof Error ? String(error.cause ?? "") : ""}`);
  }
  process.exit();
}
