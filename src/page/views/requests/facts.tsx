import type { ComponentChildren } from "preact";
import { threadKindOf } from "../../figures/thread-kinds.js";
import { detailTexts, requestTexts } from "../../texts/requests.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Copyable } from "../../ui/parts.js";
import type { Entry } from "../../wire.js";

/** All else that is known of a request. What is not known has no line. */
export function Facts({ entry }: { readonly entry: Entry }) {
  const texts = useTexts(detailTexts);
  const formats = useFormats();
  const { thread } = entry;
  const facts: readonly (readonly [string, ComponentChildren])[] = [
    [texts.route, <code>{`${entry.method} ${entry.route ?? ""}`.trim()}</code>],
    [texts.status, entry.status === null ? null : `${entry.status} · ${entry.transport}`],
    [texts.model, entry.model],
    [texts.requestedModel, entry.requested_model === entry.model ? null : entry.requested_model],
    [texts.effort, entry.reasoning_effort],
    [texts.tier, entry.service_tier],
    [texts.caller, entry.caller],
    [texts.mode, useMode(entry)],
    [texts.priority, entry.priority],
    [texts.timeout, entry.timeout_ms === null ? null : formats.duration(entry.timeout_ms)],
    [texts.taskClass, entry.task_class],
    [texts.promptForm, entry.prompt_form],
    [texts.attempts, entry.attempts > 1 ? formats.count(entry.attempts) : null],
    [texts.ignored, entry.ignored_parameters.length === 0 ? null : entry.ignored_parameters.join(", ")],
    [texts.threadKind, useThreadKind(entry)],
    [texts.worker, thread?.worker_id ?? null],
    [texts.generation, thread?.app_server_generation ?? null],
    [texts.responseId, idOf(entry.response_id)],
    [texts.previousId, idOf(entry.previous_response_id)],
    [texts.thread, idOf(thread?.thread_id ?? null)],
    [texts.turn, idOf(thread?.turn_id ?? null)],
  ];
  return (
    <section class="detail-part" aria-labelledby="facts-heading">
      <h3 id="facts-heading">{texts.facts}</h3>
      <dl class="facts-list">
        {facts.map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd class="foreign">{value}</dd>
              </div>
            ),
        )}
      </dl>
    </section>
  );
}

function idOf(id: string | null) {
  return id === null ? null : <Copyable text={id} />;
}

function useMode({ dialect, stream, background, choices }: Entry): string | null {
  const texts = useTexts(detailTexts);
  const formats = useFormats();
  if (dialect === null) return null;
  const modes = [
    stream === true ? texts.stream : texts.plain,
    background === true ? texts.background : null,
    choices !== null && choices > 1 ? texts.choices(formats.count(choices)) : null,
  ];
  return modes.filter((mode) => mode !== null).join(", ");
}

function useThreadKind({ thread }: Entry): string | null {
  const texts = useTexts(requestTexts);
  const kind = threadKindOf(thread?.kind ?? null);
  return kind === null ? null : texts[`thread_${kind}`];
}
