/** A playground: only here a turn is started by the page, and only when the person says so. */
import { useApi, usePageState } from "../../data/page-context.js";
import type { ViewProps } from "../../data/route.js";
import { tryTexts } from "../../texts/try.js";
import { useTexts } from "../../texts/use-texts.js";
import { ViewHeading } from "../../ui/view-heading.js";
import { AnswerPanel } from "./answer-panel.js";
import { CodePanel } from "./code-panel.js";
import { FormPanel } from "./form-panel.js";
import { useSession } from "./use-session.js";

export function TryView(_props: ViewProps) {
  const texts = useTexts(tryTexts);
  const api = useApi();
  const hasToken = usePageState((page) => page.hasToken);
  const { session, state } = useSession();
  const maySend = hasToken || isLoopback(location.hostname);
  return (
    <div class="try">
      <div>
        <ViewHeading>{texts.title}</ViewHeading>
        <p class="muted">{texts.lead}</p>
      </div>
      <div class="try-columns">
        <FormPanel session={session} state={state} maySend={maySend} onSend={() => session.send(api)} />
        <div class="try-side">
          <AnswerPanel
            run={state.run}
            canAnswerCalls={maySend && state.past !== null}
            onOutputs={(outputs) => session.answerCalls(api, outputs)}
          />
          <CodePanel state={state} hasToken={hasToken} />
        </div>
      </div>
    </div>
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}
