import { addUsage } from "../../../workers/contract/turn.js";
import type { CodexNativeApiError } from "../../errors.js";
import type { TokenUsage } from "../../runtime/types.js";
import { describeError } from "../answers/error-body.js";
import { joinFileAccess } from "../answers/native-api.js";
import type { ErrorBody } from "../answers/wire-types.js";
import type { ChoicesAnswer, Encoding, EventKind } from "../dialect.js";
import type { ChatTurn } from "./decode.js";
import { CompletionStream, describeUsage, newCompletionId } from "./encode.js";
import type { ChatCompletion, ChatStreamPart } from "./wire-types.js";

export function encodeChatChoices(turn: ChatTurn, encoding: Encoding): ChoicesAnswer<ChatStreamPart> {
  return new CompletionChoices(turn, encoding);
}

/**
 * One completion with several choices. Their chunks bear one id and are sent as they come; usage, error and end are told once, for all.
 * `native_api` is that of the first choice, in a stream that of each in its own chunks.
 */
export class CompletionChoices implements ChoicesAnswer<ChatStreamPart> {
  readonly id: string;
  readonly choices: readonly CompletionStream[];
  readonly #first: CompletionStream;
  readonly #isStreamed: boolean;
  #isOver = false;

  constructor(turn: ChatTurn, encoding: Encoding) {
    const id = newCompletionId(encoding);
    const createdAtMs = encoding.wallClock();
    const create = (index: number) => new CompletionStream(turn, encoding, { id, createdAtMs, index });
    this.id = id;
    this.#first = create(0);
    this.choices = [this.#first, ...Array.from({ length: turn.choices - 1 }, (_, at) => create(at + 1))];
    this.#isStreamed = turn.stream;
  }

  /** Once ended well. */
  get body(): ChatCompletion {
    const [first, ...others] = this.choices.map(({ body }) => body);
    if (first === undefined) throw new Error("A completion without choices has no body.");
    const { usage: _ofOne, ...rest } = first;
    const bodies = [first, ...others];
    const usage = this.#usage;
    const ignored = bodies.flatMap(({ native_api: { ignored_parameters: names } }) => names);
    return {
      ...rest,
      choices: [first.choices[0], ...others.map(({ choices }) => choices[0])],
      ...(usage !== null && { usage: describeUsage(usage) }),
      native_api: {
        ...first.native_api,
        ignored_parameters: [...new Set(ignored)],
        file_access: joinFileAccess(bodies.map(({ native_api: { file_access: access } }) => access)),
      },
    };
  }

  /** Every turn read the prompt, so it counts as often. */
  get #usage(): TokenUsage | null {
    return this.choices.reduce((sum: TokenUsage | null, { usage }) => addUsage(sum, usage), null);
  }

  end(): readonly ChatStreamPart[] {
    if (this.#isOver) return [];
    this.#isOver = true;
    return this.#first.usageChunk(this.#usage);
  }

  fail(error: CodexNativeApiError): readonly ChatStreamPart[] {
    if (this.#isOver) return [];
    this.#isOver = true;
    return this.#isStreamed ? [describeError(error)] : [];
  }

  failedBody(error: CodexNativeApiError): ErrorBody {
    return this.#first.failedBody(error);
  }

  endOfStream(ok: boolean): string {
    return this.#first.endOfStream(ok);
  }

  encode(parts: readonly ChatStreamPart[]): string {
    return this.#first.encode(parts);
  }

  kindOf(part: ChatStreamPart): EventKind {
    return this.#first.kindOf(part);
  }
}
