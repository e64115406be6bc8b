/** What the list is narrowed to. It stands in the page's address, so that it can be linked to and survives a reload. */
import { useId } from "preact/hooks";
import {
  type FilterKey,
  outcomes,
  type RequestFilter,
  readFilter,
  valuesOf,
  writeFilter,
} from "../../figures/request-list.js";
import { requestTexts } from "../../texts/requests.js";
import { useTexts } from "../../texts/use-texts.js";
import type { Entry } from "../../wire.js";

interface FiltersProps {
  readonly filter: RequestFilter;
  readonly known: readonly Entry[];
  readonly onChange: (filter: RequestFilter) => void;
}

type Chosen = Exclude<FilterKey, "id" | "outcome">;

const readers: Readonly<Record<Chosen, (entry: Entry) => string | null>> = {
  route: ({ route }) => route,
  model: ({ model, requested_model }) => model ?? requested_model,
  code: ({ error }) => error?.code ?? null,
  caller: ({ caller }) => caller,
};

export function Filters({ filter, known, onChange }: FiltersProps) {
  const texts = useTexts(requestTexts);
  const isNarrowed = Object.keys(writeFilter(filter)).length > 0;
  const choose = (key: FilterKey, value: string) => onChange({ ...filter, [key]: value });
  const select = (key: Chosen) => (
    <Select
      label={texts[`filter_${key}`]}
      values={valuesOf(known, readers[key], filter[key])}
      chosen={filter[key]}
      onChoose={(value) => choose(key, value)}
    />
  );
  return (
    <search class="filters" aria-label={texts.filters}>
      {select("route")}
      {select("model")}
      <Select
        label={texts.filter_outcome}
        values={outcomes}
        chosen={filter.outcome}
        nameOf={(value) => texts[`outcome_${value}`]}
        onChoose={(value) => choose("outcome", value)}
      />
      {select("code")}
      {select("caller")}
      <IdField value={filter.id} onInput={(value) => choose("id", value)} />
      {isNarrowed && (
        <button type="button" class="quiet" onClick={() => onChange(readFilter(new URLSearchParams()))}>
          {texts.clear}
        </button>
      )}
    </search>
  );
}

interface SelectProps<Value extends string> {
  readonly label: string;
  readonly values: readonly Value[];
  readonly chosen: string;
  readonly nameOf?: (value: Value) => string;
  readonly onChoose: (value: string) => void;
}

function Select<Value extends string>({ label, values, chosen, nameOf, onChoose }: SelectProps<Value>) {
  const texts = useTexts(requestTexts);
  const id = useId();
  return (
    <div class={chosen === "" ? "filter" : "filter filter-on"}>
      <label for={id}>{label}</label>
      <select id={id} value={chosen} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        <option value="">{texts.all}</option>
        {values.map((value) => (
          <option key={value} value={value}>
            {nameOf?.(value) ?? value}
          </option>
        ))}
      </select>
    </div>
  );
}

function IdField({ value, onInput }: { readonly value: string; readonly onInput: (value: string) => void }) {
  const texts = useTexts(requestTexts);
  const id = useId();
  return (
    <div class={value === "" ? "filter" : "filter filter-on"}>
      <label for={id}>{texts.filter_id}</label>
      <input
        id={id}
        type="text"
        value={value}
        onInput={({ currentTarget }) => onInput(currentTarget.value.slice(0, 128))}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
      />
    </div>
  );
}
