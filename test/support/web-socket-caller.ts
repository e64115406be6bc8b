/** A caller over a WebSocket, which sends what it likes and reads as far as a test asks. Gone when the test is. */
import { once } from "node:events";
import type { Test } from "tap";
import { type ClientOptions, WebSocket } from "ws";
import { createDeferred } from "../../src/workers/contract/wait.js";

/** An event of the service's. */
export interface SocketEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

export class SocketCaller {
  readonly webSocket: WebSocket;
  /** All events so far. */
  readonly events: SocketEvent[] = [];
  readonly closed: Promise<SocketEnd>;
  #read = 0;
  #change = createDeferred<void>();
  #isClosed = false;

  /** Settles when the WebSocket is open; rejects when it was refused. `url`: of the service. */
  static async open(
    t: Pick<Test, "teardown">,
    url: string,
    options: ClientOptions = {},
  ): Promise<SocketCaller> {
    const webSocket = new WebSocket(`${url.replace(/^http/, "ws")}/v1/responses`, options);
    t.teardown(() => webSocket.terminate());
    const caller = new SocketCaller(webSocket);
    await once(webSocket, "open");
    return caller;
  }

  private constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    webSocket.on("message", (data) => {
      this.events.push(JSON.parse(String(data)) as SocketEvent);
      this.#wake();
    });
    webSocket.on("error", () => {});
    this.closed = new Promise((resolve) =>
      webSocket.once("close", (code, reason) => resolve({ code, reason: String(reason) })),
    );
    void this.closed.then(() => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** An object is sent as JSON, text as it is. */
  send(message: object | string): void {
    this.webSocket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  create(body: object): void {
    this.send({ type: "response.create", ...body });
  }

  /** Reads on to the next event of one of these types; fails where the connection ends before. */
  async next(...types: readonly string[]): Promise<SocketEvent> {
    for (;;) {
      const event = this.events[this.#read];
      if (event !== undefined) {
        this.#read += 1;
        if (types.includes(event.type)) return event;
      } else if (this.#isClosed) {
        throw new Error(`The connection ended before ${types.join(" or ")}.`);
      } else await this.#change.promise;
    }
  }

  /** The response of the next terminal event, whichever that is. */
  async ended(): Promise<Readonly<Record<string, unknown>>> {
    const { response } = await this.next("response.completed", "response.incomplete", "response.failed");
    return response as Readonly<Record<string, unknown>>;
  }

  /** One request and its response. */
  async ask(body: object): Promise<Readonly<Record<string, unknown>>> {
    this.create(body);
    return this.ended();
  }

  #wake(): void {
    this.#change.resolve();
    this.#change = createDeferred();
  }
}
