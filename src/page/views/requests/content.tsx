import { detailTexts } from "../../texts/requests.js";
import { useTexts } from "../../texts/use-texts.js";
import type { Entry } from "../../wire.js";

/** What was said, where the service keeps it. Text, whatever it looks like. */
export function Content({ content }: { readonly content: NonNullable<Entry["content"]> }) {
  const texts = useTexts(detailTexts);
  const parts = [
    [texts.contentInput, content.input],
    [texts.contentOutput, content.output],
    [texts.contentMetadata, asText(content.metadata)],
  ] as const;
  return (
    <section class="detail-part" aria-labelledby="content-heading">
      <h3 id="content-heading">{texts.content}</h3>
      {parts.map(
        ([name, said]) =>
          said !== null && (
            <details key={name} class="said" open>
              <summary>{name}</summary>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
              <pre class="foreign" tabIndex={0}>
                {indented(said)}
              </pre>
            </details>
          ),
      )}
    </section>
  );
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** JSON over several lines; a text that was cut is no JSON and stays as it is. */
function indented(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value, null, 2);
  } catch {
    return text;
  }
}
