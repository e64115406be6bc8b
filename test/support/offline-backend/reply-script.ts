import { echo } from "./echo.js";
import type { RecordedModelRequest } from "./recorded-request.js";
import type { Reply, ReplySource } from "./reply.js";

/** Whether a reply is for this request. */
export type RequestMatch = (request: RecordedModelRequest) => boolean;

interface MatchedReply {
  readonly match: RequestMatch;
  readonly source: ReplySource;
  timesLeft: number;
}

/** Which reply a request gets: a matching rule, else the next of the queue, else the default. */
export class ReplyScript {
  readonly #rules: MatchedReply[] = [];
  readonly #queue: ReplySource[] = [];
  #default: ReplySource = echo();

  setDefault(source: ReplySource): void {
    this.#default = source;
  }

  queue(sources: readonly ReplySource[]): void {
    this.#queue.push(...sources);
  }

  when(match: RequestMatch, source: ReplySource, times: number): void {
    this.#rules.push({ match, source, timesLeft: times });
  }

  next(request: RecordedModelRequest): Reply {
    const source = this.#takeRule(request) ?? this.#queue.shift() ?? this.#default;
    return typeof source === "function" ? source(request) : source;
  }

  #takeRule(request: RecordedModelRequest): ReplySource | undefined {
    const index = this.#rules.findIndex((rule) => rule.match(request));
    const rule = this.#rules[index];
    if (rule === undefined) {
      return undefined;
    }
    rule.timesLeft--;
    if (rule.timesLeft <= 0) {
      this.#rules.splice(index, 1);
    }
    return rule.source;
  }
}
