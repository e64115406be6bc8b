import { codeTexts, meaningOf } from "../../texts/codes.js";
import { detailTexts } from "../../texts/requests.js";
import { useTexts } from "../../texts/use-texts.js";
import { Copyable } from "../../ui/parts.js";
import type { Entry } from "../../wire.js";

/** Why a request failed and what to do about it, in plain words. */
export function Failure({ error }: { readonly error: NonNullable<Entry["error"]> }) {
  const texts = useTexts(detailTexts);
  const { title, todo, command } = meaningOf(error.code, useTexts(codeTexts));
  return (
    <section class="failure" aria-labelledby="failure-heading">
      <h3 id="failure-heading" class="unseen">
        {texts.whyFailed}
      </h3>
      <p class="failure-title">{title}</p>
      <p>{todo}</p>
      {command !== null && <Copyable text={command} />}
      <dl class="failure-facts">
        <div>
          <dt class="unseen">{texts.whyFailed}</dt>
          <dd>
            <code class="foreign">{error.code}</code>
          </dd>
        </div>
        {error.param !== null && (
          <div>
            <dt>{texts.field}</dt>
            <dd>
              <code class="foreign">{error.param}</code>
            </dd>
          </div>
        )}
      </dl>
      <p class="small">
        {error.retryable === true && `${texts.retryHelps} `}
        {error.retryable === false && `${texts.retryUseless} `}
        {error.message === null && texts.noMessage}
      </p>
      {error.message !== null && <p class="failure-message foreign">{error.message}</p>}
    </section>
  );
}
