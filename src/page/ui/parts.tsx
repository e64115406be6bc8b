/** What views are made of. All that it is given is shown as text. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { callLater } from "../data/timers.js";
import { partTexts } from "../texts/parts.js";
import { useTexts } from "../texts/use-texts.js";
import { CheckIcon, CopyIcon } from "./icons.js";

export interface PanelProps {
  readonly title: string;
  /** Beside the title. */
  readonly aside?: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Panel({ title, aside, note, class: extra = "", children }: PanelProps) {
  const id = useId();
  return (
    <section class={`panel ${extra}`} aria-labelledby={id}>
      <div class="panel-head">
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <div class="panel-aside">{aside}</div>}
      </div>
      {note !== undefined && <p class="panel-note">{note}</p>}
      {children}
    </section>
  );
}

export interface TileProps {
  readonly label: string;
  readonly value: string;
  readonly note?: ComponentChildren;
  readonly tone?: "plain" | "bad";
}

/** One figure. Tiles stand in a `<dl class="tiles">`. */
export function Tile({ label, value, note, tone = "plain" }: TileProps) {
  return (
    <div class={`tile tile-${tone}`}>
      <dt>{label}</dt>
      <dd>
        <span class="tile-value">{value}</span>
        {note !== undefined && <span class="tile-note">{note}</span>}
      </dd>
    </div>
  );
}

export interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly values: readonly Value[];
  readonly chosen: Value;
  readonly nameOf: (value: Value) => string;
  readonly onChoose: (value: Value) => void;
}

/** One of a few, all in sight. */
export function Choice<Value extends string>({
  label,
  values,
  chosen,
  nameOf,
  onChoose,
}: ChoiceProps<Value>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="unseen">{label}</legend>
      {values.map((value) => (
        <label key={value}>
          <input
            type="radio"
            name={name}
            value={value}
            checked={value === chosen}
            onChange={() => onChoose(value)}
          />
          <span>{nameOf(value)}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** A text to take away, such as a command, an id or a snippet. */
export function Copyable({ text, isBlock = false }: { readonly text: string; readonly isBlock?: boolean }) {
  const texts = useTexts(partTexts);
  const [isCopied, setCopied] = useState(false);
  useEffect(() => (isCopied ? callLater(2_000, () => setCopied(false)) : undefined), [isCopied]);
  const copy = () => {
    // Without a clipboard the text can still be selected.
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <span class={isBlock ? "copyable copyable-block" : "copyable"}>
      {isBlock ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <pre tabIndex={0}>
          <code>{text}</code>
        </pre>
      ) : (
        <code>{text}</code>
      )}
      <button
        type="button"
        class="quiet square"
        aria-label={isCopied ? texts.copied : texts.copy(text.slice(0, 60))}
        onClick={copy}
      >
        {isCopied ? <CheckIcon /> : <CopyIcon />}
      </button>
    </span>
  );
}

/** In place of figures that are not there. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
