import { tryTexts } from "../../texts/try.js";
import { useTexts } from "../../texts/use-texts.js";
import { Choice } from "../../ui/parts.js";
import { decisionInput, exampleForm } from "./examples.js";
import { JsonInput } from "./json-input.js";
import { ModelFields } from "./model-fields.js";
import { type Dialect, dialects, fieldsOf, type TryForm } from "./try-form.js";
import type { TrySession, TryState } from "./try-session.js";

interface FormPanelProps {
  readonly session: TrySession;
  readonly state: TryState;
  readonly maySend: boolean;
  readonly onSend: () => void;
}

export function FormPanel({ session, state, maySend, onSend }: FormPanelProps) {
  const texts = useTexts(tryTexts);
  const { form, faults, run } = state;
  const isRunning = run?.state === "running";
  const submit = (event: Event) => {
    event.preventDefault();
    if (maySend && !isRunning) onSend();
  };
  const sendByKeys = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  };
  const change = (changed: Partial<TryForm>) => session.change(changed);
  return (
    <form class="panel try-form" aria-label={texts.title} onSubmit={submit} onKeyDown={sendByKeys} noValidate>
      <Choice
        label={texts.api}
        values={dialects}
        chosen={form.dialect}
        nameOf={(dialect) => texts[`dialect_${dialect}`]}
        onChoose={(dialect) => change({ dialect, ...inputFor(dialect, form.input) })}
      />
      <ModelFields form={form} onChange={change} />
      {form.dialect !== "decisions" && (
        <TextArea
          id="try-instructions"
          label={texts.instructions}
          value={form.instructions}
          rows={2}
          onInput={(instructions) => change({ instructions })}
        />
      )}
      <TextArea
        id="try-input"
        label={texts.input}
        value={form.input}
        rows={5}
        problem={faults.input === undefined ? null : texts.missing}
        onInput={(input) => change({ input })}
      />
      {fieldsOf[form.dialect].map((field) => (
        <JsonInput
          key={field}
          field={field}
          value={form[field]}
          isMissing={faults[field] === "missing"}
          onInput={(value) => change({ [field]: value })}
        />
      ))}
      <Options state={state} session={session} />
      {!maySend && <p class="problem">{texts.noSend}</p>}
      <div class="try-send">
        {isRunning ? (
          <button key="stop" type="button" class="primary stop" onClick={() => session.stop()}>
            {texts.stop}
          </button>
        ) : (
          <button key="send" type="submit" class="primary" disabled={!maySend}>
            {texts.send}
          </button>
        )}
        <span class="muted small">{texts.sendKeys}</span>
        <button type="button" class="quiet" onClick={() => session.clear()}>
          {texts.startOver}
        </button>
      </div>
    </form>
  );
}

/** Another example where the one before was left as it is. */
function inputFor(dialect: Dialect, input: string): Partial<TryForm> {
  if (dialect === "decisions") return input === exampleForm.input ? { input: decisionInput } : {};
  return input === decisionInput ? { input: exampleForm.input } : {};
}

function Options({ state, session }: { readonly state: TryState; readonly session: TrySession }) {
  const texts = useTexts(tryTexts);
  const { form, past, isGoingOn } = state;
  return (
    <div class="try-options">
      {form.dialect !== "decisions" && (
        <label class="try-check">
          <input
            type="checkbox"
            checked={form.isStreamed}
            onChange={({ currentTarget }) => session.change({ isStreamed: currentTarget.checked })}
          />
          {texts.stream}
        </label>
      )}
      {past !== null && past.dialect === form.dialect && (
        <label class="try-check">
          <input
            type="checkbox"
            checked={isGoingOn}
            onChange={({ currentTarget }) => session.goOn(currentTarget.checked)}
          />
          {texts.goOn}
        </label>
      )}
    </div>
  );
}

interface TextAreaProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly rows: number;
  readonly problem?: string | null;
  readonly onInput: (value: string) => void;
}

function TextArea({ id, label, value, rows, problem = null, onInput }: TextAreaProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={rows}
        value={value}
        aria-invalid={problem === null ? undefined : "true"}
        aria-describedby={problem === null ? undefined : `${id}-problem`}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
      {problem !== null && (
        <p id={`${id}-problem`} class="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
