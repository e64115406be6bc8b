/** A field of JSON, checked as one types. */
import { tryTexts } from "../../texts/try.js";
import { useTexts } from "../../texts/use-texts.js";
import { exampleJson } from "./examples.js";
import { type FieldFault, type JsonField, readJsonField } from "./try-form.js";

interface JsonInputProps {
  readonly field: JsonField;
  readonly value: string;
  readonly isMissing: boolean;
  readonly onInput: (value: string) => void;
}

export function JsonInput({ field, value, isMissing, onInput }: JsonInputProps) {
  const texts = useTexts(tryTexts);
  const say = useFaultText();
  const read = readJsonField(value, field);
  const problem = "fault" in read ? say(read.fault) : isMissing ? texts.missing : null;
  const id = `try-${field}`;
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>{texts[field]}</label>
        <span id={`${id}-note`} class="muted small">
          {texts[`${field}Note`]}
        </span>
        {value.trim() === "" && (
          <button
            type="button"
            class="link small"
            aria-describedby={`${id}-note`}
            onClick={() => onInput(exampleJson[field])}
          >
            {texts.example}
          </button>
        )}
      </div>
      <textarea
        id={id}
        class="mono"
        rows={value.trim() === "" ? 1 : Math.min(14, Math.max(4, value.split("\n").length))}
        value={value}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        aria-invalid={problem === null ? undefined : "true"}
        aria-describedby={`${id}-note ${id}-problem`}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
      <p id={`${id}-problem`} class="problem" role="status">
        {problem}
      </p>
    </div>
  );
}

function useFaultText(): (fault: FieldFault) => string {
  const texts = useTexts(tryTexts);
  return (fault) => {
    if (fault.kind === "json") {
      const { line, column, kind } = fault.fault;
      return texts.jsonAt(String(line), String(column), texts[`fault_${kind}`]);
    }
    return texts.shapeAt(fault.path === "" ? texts.shapeWhole : fault.path, texts[`wants_${fault.wants}`]);
  };
}
