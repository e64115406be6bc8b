import { tryTexts } from "../../texts/try.js";
import { useTexts } from "../../texts/use-texts.js";
import type { TryForm } from "./try-form.js";
import { useModels } from "./use-models.js";

interface ModelFieldsProps {
  readonly form: TryForm;
  readonly onChange: (change: Partial<TryForm>) => void;
}

/** Models of this login, and the efforts that the chosen one takes. */
export function ModelFields({ form, onChange }: ModelFieldsProps) {
  const texts = useTexts(tryTexts);
  const { models, isOpen, hasFailed } = useModels();
  const usual = models.find(({ isDefault }) => isDefault);
  const chosen = form.model === "" ? usual : models.find(({ id }) => id === form.model);
  const efforts = chosen?.efforts ?? [];
  return (
    <div class="try-models">
      <div class="field">
        <label for="try-model">{texts.model}</label>
        {isOpen ? (
          <>
            <input
              id="try-model"
              type="text"
              class="mono"
              list="try-models"
              value={form.model}
              placeholder={usual?.id}
              spellcheck={false}
              autocomplete="off"
              onInput={({ currentTarget }) => onChange({ model: currentTarget.value.trim(), effort: "" })}
            />
            <datalist id="try-models">
              {models.map(({ id }) => (
                <option key={id} value={id} />
              ))}
            </datalist>
          </>
        ) : (
          <select
            id="try-model"
            value={form.model}
            onChange={({ currentTarget }) => onChange({ model: currentTarget.value, effort: "" })}
          >
            <option value="">{usual === undefined ? texts.modelAny : texts.modelDefault(usual.id)}</option>
            {models.map(({ id }) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </select>
        )}
        {hasFailed && <p class="small muted">{texts.modelsFailed}</p>}
      </div>
      {form.dialect !== "decisions" && (
        <div class="field">
          <label for="try-effort">{texts.effort}</label>
          <select
            id="try-effort"
            value={form.effort}
            onChange={({ currentTarget }) => onChange({ effort: currentTarget.value })}
          >
            <option value="">
              {chosen?.defaultEffort == null ? texts.effortAny : texts.effortDefault(chosen.defaultEffort)}
            </option>
            {efforts.map((effort) => (
              <option key={effort} value={effort}>
                {effort}
              </option>
            ))}
          </select>
        </div>
      )}
    </div>
  );
}
