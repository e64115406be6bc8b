import { detailTexts } from "../../texts/requests.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import type { TokenUsage } from "../../wire.js";

export function TokenFigures({ usage }: { readonly usage: TokenUsage }) {
  const texts = useTexts(detailTexts);
  const formats = useFormats();
  const figures = [
    [texts.input, usage.input_tokens],
    [texts.cached, usage.cached_input_tokens],
    [texts.output, usage.output_tokens],
    [texts.reasoning, usage.reasoning_output_tokens],
    [texts.all, usage.total_tokens],
  ] as const;
  return (
    <section class="detail-part" aria-labelledby="tokens-heading">
      <h3 id="tokens-heading">{texts.usage}</h3>
      <dl class="token-figures">
        {figures.map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{formats.count(count)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
