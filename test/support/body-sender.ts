/** A client in a process of its own, so that making and sending a body costs the process under test nothing. */
import { type ChildProcess, fork } from "node:child_process";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import { fields, plainText, shapes } from "../fuzz/support/body-texts.js";

export interface SentBody {
  readonly port: number;
  /** A key of `fields`. */
  readonly field: string;
  /** A key of `shapes`, or `plain`. */
  readonly shape: string;
  readonly bytes: number;
}

export interface SentAnswer {
  readonly status: number;
  /** Its beginning. */
  readonly text: string;
}

export class BodySender {
  readonly #child: ChildProcess;

  constructor(t: Pick<Test, "teardown">) {
    this.#child = fork(fileURLToPath(import.meta.url), ["send-bodies"]);
    t.teardown(() => this.#child.kill());
  }

  /** Settles when the body is made and only has to be sent. */
  async prepare(body: SentBody): Promise<void> {
    await this.#ask({ prepare: body });
  }

  /** Sends the body that was prepared. */
  async send(): Promise<SentAnswer> {
    const answer = await this.#ask("send");
    const isAnswer = typeof answer === "object" && answer !== null && "status" in answer && "text" in answer;
    if (!isAnswer) throw new Error(`the sender said ${JSON.stringify(answer)}`);
    return { status: Number(answer.status), text: String(answer.text) };
  }

  #ask(message: object | string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`the sender ended with ${code}`));
      this.#child.once("exit", onExit);
      this.#child.once("message", (answer) => {
        this.#child.off("exit", onExit);
        resolve(answer);
      });
      this.#child.send(message);
    });
  }
}

function makeBody({ field, shape, bytes }: SentBody): { readonly path: string; readonly body: Buffer } {
  const place = fields[field];
  const make = shape === "plain" ? plainText : shapes[shape];
  if (place === undefined || make === undefined) throw new Error(`there is no ${field} or ${shape}`);
  return { path: place.path, body: Buffer.from(place.around(make(bytes))) };
}

function post(port: number, path: string, body: Buffer): Promise<SentAnswer> {
  return new Promise((resolve) => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const options = { host: "127.0.0.1", port, path, method: "POST", headers, agent: false };
    const sent = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        if (text.length < 2000) text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: text.slice(0, 2000) }));
    });
    sent.on("error", (error) => resolve({ status: 0, text: String(error) }));
    sent.end(body);
  });
}

function serveParent(): void {
  let port = 0;
  let made: ReturnType<typeof makeBody> = { path: "", body: Buffer.alloc(0) };
  process.on("message", (message: "send" | { readonly prepare: SentBody }) => {
    if (message === "send") {
      void post(port, made.path, made.body).then((answer) => process.send?.(answer));
      return;
    }
    port = message.prepare.port;
    made = makeBody(message.prepare);
    process.send?.("prepared");
  });
}

if (process.argv[2] === "send-bodies") serveParent();
