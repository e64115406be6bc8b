import { CodexNativeApiError } from "../../../src/main/errors.js";
import type { CodexNativeRuntime } from "../../../src/main/runtime/runtime.js";
import type { JsonObject } from "../../../src/workers/contract/json.js";
import { userMessage } from "../runtime-harness.js";

/** What a caller has of a turn at its end. */
export interface TurnSeen {
  /** Its outcome, or the code that it failed with. */
  readonly end: string;
  readonly streamed: string;
  readonly items: readonly JsonObject[];
}

/** Runs a turn to its end; never rejects. */
export async function runTurn(
  runtime: CodexNativeRuntime,
  text = "hello",
  onText: () => void = () => {},
): Promise<TurnSeen> {
  let streamed = "";
  const items: JsonObject[] = [];
  const end = await runtime
    .runIsolatedTurn(
      // Two of them, so that they are injected as most requests' are.
      { items: [userMessage("I have a question."), userMessage(text)] },
      {
        onEvent: (event) => {
          if (event.type === "item.completed") items.push(event.item);
          if (event.type !== "text.delta") return;
          streamed += event.delta;
          onText();
        },
      },
    )
    .then(
      ({ outcome }): string => outcome.status,
      (error: unknown): string => (error instanceof CodexNativeApiError ? error.code : String(error)),
    );
  return { end, streamed, items };
}
