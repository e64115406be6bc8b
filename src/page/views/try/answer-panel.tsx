/** The answer as it comes. All that the model says is text. */
import { useEffect, useRef, useState } from "preact/hooks";
import { routeTo } from "../../data/route.js";
import { tryTexts } from "../../texts/try.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Empty, Panel } from "../../ui/parts.js";
import { CallsForm } from "./calls-form.js";
import { DecisionList } from "./decision-list.js";
import { RunFault } from "./run-fault.js";
import type { CallOutput } from "./try-request.js";
import type { Run } from "./try-session.js";

interface AnswerPanelProps {
  readonly run: Run | null;
  readonly canAnswerCalls: boolean;
  readonly onOutputs: (outputs: readonly CallOutput[]) => void;
}

export function AnswerPanel({ run, canAnswerCalls, onOutputs }: AnswerPanelProps) {
  const texts = useTexts(tryTexts);
  return (
    <Panel
      title={texts.answer}
      class="try-answer"
      aside={run !== null && <span class={`run-state run-${run.state}`}>{texts[run.state]}</span>}
    >
      {run === null ? (
        <Empty>{texts.answerNone}</Empty>
      ) : (
        <>
          <Said run={run} />
          {run.answer.calls.length > 0 && (
            <CallsForm
              // Another answer has other calls.
              key={run.startedMs}
              calls={run.answer.calls}
              canAnswer={canAnswerCalls && run.state === "ended"}
              onOutputs={onOutputs}
            />
          )}
          <RunFault run={run} />
          <RunFigures run={run} />
        </>
      )}
      <RunNews run={run} />
    </Panel>
  );
}

function Said({ run: { answer, state } }: { readonly run: Run }) {
  const texts = useTexts(tryTexts);
  const { text, reasoning, calls, decisions, incomplete, isCut } = answer;
  const isSilent = text === "" && calls.length === 0 && decisions === null;
  return (
    <>
      {reasoning !== "" && (
        <details class="said" open>
          <summary>{texts.reasoning}</summary>
          <p class="said-text said-reasoning foreign">{reasoning}</p>
        </details>
      )}
      {state === "running" && isSilent && <p class="muted">{texts.waitingFor}</p>}
      {state === "ended" && isSilent && <p class="muted">{texts.empty}</p>}
      {text !== "" && <p class="said-text foreign">{text}</p>}
      {decisions !== null && <DecisionList decisions={decisions} />}
      {incomplete !== null && <p class="detail-why foreign">{texts.incomplete(incomplete)}</p>}
      {isCut && <p class="muted small">{texts.cut}</p>}
    </>
  );
}

function RunFigures({ run }: { readonly run: Run }) {
  const texts = useTexts(tryTexts);
  const formats = useFormats();
  const { answer, firstWordMs, totalMs, requestId } = run;
  const { usage, model } = answer;
  const figures = [
    [texts.firstWord, firstWordMs === null ? null : formats.duration(firstWordMs)],
    [texts.total, totalMs === null ? null : formats.duration(totalMs)],
    [
      texts.tokens,
      usage === null
        ? null
        : texts.tokensOf(formats.count(usage.input_tokens), formats.count(usage.output_tokens)),
    ],
    [texts.modelRan, model],
  ] as const;
  return (
    <div class="run-figures">
      <dl class="token-figures">
        {figures.map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd class="foreign">{value}</dd>
              </div>
            ),
        )}
      </dl>
      {requestId !== null && <a href={routeTo("requests", {}, requestId)}>{texts.inLog}</a>}
    </div>
  );
}

/** Says to a screen reader that the answer has begun or ended, and not each word of it. */
function RunNews({ run }: { readonly run: Run | null }) {
  const texts = useTexts(tryTexts);
  const [said, say] = useState("");
  const before = useRef(run?.state);
  const state = run?.state;
  useEffect(() => {
    if (state === before.current) return;
    before.current = state;
    const news = {
      running: texts.saidRunning,
      ended: texts.saidEnded,
      stopped: texts.saidStopped,
      failed: texts.saidFailed,
    };
    say(state === undefined ? "" : news[state]);
  }, [state, texts]);
  return (
    <div class="unseen" role="status">
      {said}
    </div>
  );
}
