/** The functions that the model called, and what they are to return. */
import { useState } from "preact/hooks";
import { tryTexts } from "../../texts/try.js";
import { useTexts } from "../../texts/use-texts.js";
import type { Call } from "./answer.js";
import type { CallOutput } from "./try-request.js";

interface CallsFormProps {
  readonly calls: readonly Call[];
  readonly canAnswer: boolean;
  readonly onOutputs: (outputs: readonly CallOutput[]) => void;
}

export function CallsForm({ calls, canAnswer, onOutputs }: CallsFormProps) {
  const texts = useTexts(tryTexts);
  const [outputs, setOutputs] = useState<Readonly<Record<number, string>>>({});
  const submit = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
    if (canAnswer) onOutputs(calls.map(({ callId }, index) => ({ callId, output: outputs[index] ?? "" })));
  };
  return (
    <form class="calls" aria-label={texts.calls} onSubmit={submit}>
      {calls.map((call, index) => (
        <div key={call.callId} class="call">
          <h3 class="foreign">{texts.callName(call.name)}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <pre class="foreign" tabIndex={0}>
            {indented(call.arguments)}
          </pre>
          <label class="foreign" for={`call-output-${index}`}>
            {texts.outputOf(call.name)}
          </label>
          <textarea
            id={`call-output-${index}`}
            rows={2}
            value={outputs[index] ?? ""}
            onInput={({ currentTarget }) => setOutputs({ ...outputs, [index]: currentTarget.value })}
          />
        </div>
      ))}
      <button type="submit" class="secondary" disabled={!canAnswer}>
        {texts.giveOutputs}
      </button>
    </form>
  );
}

/** Arguments that are not JSON stay as the model wrote them. */
function indented(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    return JSON.stringify(value, null, 2);
  } catch {
    return json;
  }
}
