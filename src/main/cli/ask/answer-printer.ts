/** Prints the text of a response as its events come: the answer on standard output, everything else where errors go. */
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import type { CliContext } from "../cli-context.js";
import { refuse } from "../configured.js";
import { exitCodes } from "../exit-codes.js";
import { refuseError } from "../refuse-answer.js";
import { showSafely, writeFully } from "../terminal.js";

export class AnswerPrinter {
  readonly #context: CliContext;
  /** A value for a program is given whole or not at all. */
  readonly #wholeOnly: boolean;
  #itemId: string | null = null;
  /** Of the message under way, kept only where it is printed whole. */
  #text = "";
  #refusal = "";
  #isLineOpen = false;
  #isUnread = false;

  constructor(context: CliContext, options: { readonly wholeOnly: boolean }) {
    this.#context = context;
    this.#wholeOnly = options.wholeOnly;
  }

  /** Whether the reader of standard output has gone: then nobody waits for a word about it. */
  get isUnread(): boolean {
    return this.#isUnread;
  }

  /** Takes one event. Gives the exit code with the last one, null before. Rejects when nobody reads any more. */
  async take(event: JsonObject): Promise<number | null> {
    switch (event.type) {
      case "response.output_text.delta":
        await this.#takeDelta(textOf(event.item_id), textOf(event.delta));
        return null;
      case "response.refusal.delta":
        this.#refusal += textOf(event.delta);
        return null;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        return this.#end(isJsonObject(event.response) ? event.response : {});
      default:
        return null;
    }
  }

  /** The stream ended without a last event. */
  async cut(reason: string): Promise<number> {
    await this.endLine();
    return refuse(this.#context, `the answer broke off: ${reason}`, exitCodes.failed);
  }

  /** So that what comes next on the terminal begins on a line of its own. */
  async endLine(): Promise<void> {
    if (this.#isLineOpen) await this.#write("\n");
  }

  async #takeDelta(itemId: string, delta: string): Promise<void> {
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
      return refuse(this.#context, `the model refused: ${this.#refusal}`, exitCodes.failed);
    if (response.status === "incomplete") {
      const { reason } = isJsonObject(response.incomplete_details) ? response.incomplete_details : {};
      return refuse(this.#context, `the model stopped early: ${textOf(reason)}`, exitCodes.failed);
    }
    const { code, message } = isJsonObject(response.error) ? response.error : {};
    return refuseError(this.#context, textOf(code) || null, textOf(message) || "the turn failed");
  }

  async #endCompleted(response: JsonObject): Promise<number> {
    if (ignoredOf(response).includes("text.format")) {
      this.#context.stderr.write(`${showSafely(this.#text)}\n`);
      return refuse(this.#context, "the model did not answer in JSON; its words are above", exitCodes.failed);
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
      // Whoever takes it by a pipe gets it as it is.
      await writeFully(stdout, stdout.isTTY === true ? showSafely(text) : text);
    } catch (error) {
      this.#isUnread = true;
      this.#isLineOpen = false;
      throw error;
    }
  }
}

function ignoredOf(response: JsonObject): readonly unknown[] {
  const native = isJsonObject(response.native_api) ? response.native_api : {};
  return Array.isArray(native.ignored_parameters) ? native.ignored_parameters : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
