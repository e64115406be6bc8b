/** Prints a response as its events come: the answer to standard output, everything else to standard error. */
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import type { CliContext } from "../cli-context.js";
import { exitCodes } from "../exit-codes.js";
import { CommandRefusal, refusalOf } from "../outcome.js";
import { showSafely, writeFully } from "../terminal.js";

export class AnswerPrinter {
  readonly #context: CliContext;
  /** Print the answer complete or not at all, as a program needs it. */
  readonly #wholeOnly: boolean;
  #itemId: string | null = null;
  /** Text of the current message; kept only where it is printed complete. */
  #text = "";
  #refusal = "";
  /** Messages in which the model comments on its work. */
  readonly #commentaryIds = new Set<string>();
  #isLineOpen = false;
  #isUnread = false;

  constructor(context: CliContext, options: { readonly wholeOnly: boolean }) {
    this.#context = context;
    this.#wholeOnly = options.wholeOnly;
  }

  /** Whether the reader of standard output has gone, so that no message would reach anyone. */
  get isUnread(): boolean {
    return this.#isUnread;
  }

  /** Takes one event. Returns the exit code for the last one, null before. Throws a refusal, and rejects when the reader has gone. */
  async take(event: JsonObject): Promise<number | null> {
    switch (event.type) {
      case "response.output_item.added": {
        const { id, phase } = objectOf(event.item);
        if (phase === "commentary") this.#commentaryIds.add(textOf(id));
        break;
      }
      case "response.output_text.delta":
        await this.#takeDelta(textOf(event.item_id), textOf(event.delta));
        break;
      case "response.refusal.delta":
        this.#refusal += textOf(event.delta);
        break;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        return this.#end(objectOf(event.response));
    }
    return null;
  }

  /** Throws the refusal for a stream that ended without a last event. */
  async cut(reason: string): Promise<never> {
    await this.endLine();
    throw new CommandRefusal(`the answer broke off: ${reason}`, exitCodes.failed);
  }

  /** Ends an open line, so that the next output on the terminal begins a new one. */
  async endLine(): Promise<void> {
    if (this.#isLineOpen) await this.#write("\n");
  }

  async #takeDelta(itemId: string, delta: string): Promise<void> {
    if (this.#wholeOnly && this.#commentaryIds.has(itemId)) return;
    const isNewMessage = this.#itemId !== itemId;
    this.#itemId = itemId;
    if (this.#wholeOnly) {
      this.#text = isNewMessage ? delta : this.#text + delta;
      return;
    }
    if (isNewMessage) await this.endLine();
    await this.#write(delta);
  }

  async #end(response: JsonObject): Promise<number> {
    if (this.#isUnread) return exitCodes.failed;
    if (response.status === "completed" && this.#refusal === "") return this.#endCompleted(response);
    await this.endLine();
    if (this.#refusal !== "")
      throw new CommandRefusal(`the model refused: ${this.#refusal}`, exitCodes.failed);
    if (response.status === "incomplete") {
      const { reason } = objectOf(response.incomplete_details);
      throw new CommandRefusal(`the model stopped early: ${textOf(reason)}`, exitCodes.failed);
    }
    const { code, message } = objectOf(response.error);
    throw refusalOf(textOf(code) || null, textOf(message) || "the turn failed");
  }

  async #endCompleted(response: JsonObject): Promise<number> {
    const { ignored_parameters: ignored } = objectOf(response.native_api);
    if (Array.isArray(ignored) && ignored.includes("text.format")) {
      this.#context.stderr.write(`${showSafely(this.#text)}\n`);
      throw new CommandRefusal("the model did not answer in JSON; its answer is above", exitCodes.failed);
    }
    if (this.#wholeOnly) await this.#write(this.#text);
    await this.endLine();
    return exitCodes.done;
  }

  async #write(text: string): Promise<void> {
    if (text === "") return;
    this.#isLineOpen = !text.endsWith("\n");
    try {
      const { stdout } = this.#context;
      // A pipe gets the text unchanged.
      await writeFully(stdout, stdout.isTTY === true ? showSafely(text) : text);
    } catch (error) {
      this.#isUnread = true;
      this.#isLineOpen = false;
      throw error;
    }
  }
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
