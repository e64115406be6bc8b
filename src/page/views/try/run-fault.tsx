import { codeTexts, meaningOf } from "../../texts/codes.js";
import { tryTexts } from "../../texts/try.js";
import { useTexts } from "../../texts/use-texts.js";
import { Copyable } from "../../ui/parts.js";
import type { Run } from "./try-session.js";

/** Why a turn failed, in plain words and in the service's. */
export function RunFault({ run: { state, fault, answer } }: { readonly run: Run }) {
  const texts = useTexts(tryTexts);
  const codes = useTexts(codeTexts);
  const shown = fault ?? (answer.error === null ? null : { ...answer.error, param: null });
  if (state !== "failed" || shown === null) return null;
  const own = new Map([
    ["unreadable_answer", texts.unreadable],
    ["unreachable", texts.unreachable],
    ["stream_broken", texts.broken],
  ]).get(shown.code);
  const { title, todo, command } = meaningOf(shown.code, codes);
  return (
    <div class="failure" role="alert">
      <p class="failure-title">{own ?? title}</p>
      {own === undefined && <p>{todo}</p>}
      {own === undefined && command !== null && <Copyable text={command} />}
      {shown.message !== "" && own === undefined && <p class="failure-message foreign">{shown.message}</p>}
      <p class="small">
        <code class="foreign">{shown.code}</code>{" "}
        {shown.param !== null && <span class="foreign">{texts.field(shown.param)}</span>}
      </p>
    </div>
  );
}
