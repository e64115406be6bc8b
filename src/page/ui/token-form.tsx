/** Asks for the token where the service wants one. */
import { useState } from "preact/hooks";
import { usePageState, useParts } from "../data/page-context.js";
import { tokenTexts } from "../texts/shell.js";
import { useTexts } from "../texts/use-texts.js";
import { ViewHeading } from "./view-heading.js";

export function TokenForm() {
  const texts = useTexts(tokenTexts);
  const { signIn } = useParts();
  const refusal = usePageState((state) => state.refusal);
  const [token, setToken] = useState("");
  const [isShown, setShown] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const refused = refusal === "code" ? texts.wrongCode : refusal === "token" ? texts.wrongToken : null;
  const problem = fault ?? refused;
  const submit = (event: Event) => {
    event.preventDefault();
    const given = token.trim();
    if (given === "") return setFault(texts.empty);
    // Anything else cannot stand in a header.
    if (!/^[\x21-\x7e]+$/.test(given)) return setFault(texts.notText);
    setFault(null);
    void signIn(given);
  };
  return (
    <div class="gate">
      <ViewHeading>{texts.title}</ViewHeading>
      <p>{texts.explain}</p>
      <form onSubmit={submit} noValidate>
        <label for="token">{texts.label}</label>
        <div class="gate-row">
          {/* A text field: browsers offer to keep what is typed into one for passwords. */}
          <input
            id="token"
            class={isShown ? "mono" : "mono masked"}
            type="text"
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
            autocomplete="off"
            autocapitalize="off"
            autocorrect="off"
            spellcheck={false}
            aria-invalid={problem === null ? undefined : "true"}
            aria-describedby="token-problem token-privacy"
          />
          <button type="submit" class="primary">
            {texts.open}
          </button>
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={isShown}
            onChange={({ currentTarget }) => setShown(currentTarget.checked)}
          />
          {texts.show}
        </label>
        <p id="token-problem" class="problem" role="alert">
          {problem}
        </p>
      </form>
      <h2>{texts.privacyTitle}</h2>
      <p id="token-privacy" class="muted">
        {texts.privacy}
      </p>
    </div>
  );
}
