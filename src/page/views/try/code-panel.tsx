/** The request as code. */
import { useState } from "preact/hooks";
import { tryTexts } from "../../texts/try.js";
import { useTexts } from "../../texts/use-texts.js";
import { Choice, Copyable, Empty, Panel } from "../../ui/parts.js";
import { type SnippetKind, snippetKinds, tokenVariable, writeSnippet } from "./snippets.js";
import { checkForm } from "./try-form.js";
import { makeRequest, type SentRequest } from "./try-request.js";
import type { TryState } from "./try-session.js";

export function CodePanel({ state, hasToken }: { readonly state: TryState; readonly hasToken: boolean }) {
  const texts = useTexts(tryTexts);
  const [kind, setKind] = useState<SnippetKind>("curl");
  const sent = state.run?.sent ?? null;
  const shown = sent ?? preview(state);
  const note = sent === null ? texts.codePreview : texts.codeSent;
  return (
    <Panel
      title={texts.code}
      class="try-code"
      note={hasToken ? `${note} ${texts.codeToken(tokenVariable)}` : note}
      aside={
        <Choice
          label={texts.code}
          values={snippetKinds}
          chosen={kind}
          nameOf={(value) => texts[`kind_${value}`]}
          onChoose={setKind}
        />
      }
    >
      {shown === null ? (
        <Empty>{texts.codeFaulty}</Empty>
      ) : (
        <Copyable isBlock text={writeSnippet(kind, { ...shown, origin: location.origin, hasToken })} />
      )}
    </Panel>
  );
}

function preview({ form }: TryState): SentRequest | null {
  const checked = checkForm(form);
  return "faults" in checked ? null : makeRequest(form, checked.values, null, form.input);
}
