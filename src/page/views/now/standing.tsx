/** Ready, or why not and what to do; who is logged in, and what stands by. */
import { useNowMs, usePageState } from "../../data/page-context.js";
import { nowTexts } from "../../texts/now.js";
import { adviceFor, reasonTexts } from "../../texts/reasons.js";
import { shellTexts } from "../../texts/shell.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Copyable, Tile } from "../../ui/parts.js";
import { ViewHeading } from "../../ui/view-heading.js";
import type { ServiceState } from "../../wire.js";

export function Standing({ service }: { readonly service: ServiceState | null }) {
  const texts = useTexts(nowTexts);
  const shell = useTexts(shellTexts);
  const isLost = usePageState(({ connection }) => connection === "lost");
  if (service === null) return <ViewHeading>{isLost ? shell.lost : texts.connectingTitle}</ViewHeading>;
  return (
    <>
      {service.ready ? (
        <div class="standing">
          <ViewHeading>{texts.readyTitle}</ViewHeading>
          <Facts service={service} />
        </div>
      ) : (
        <NotReady service={service} />
      )}
      <Counters service={service} />
    </>
  );
}

function Facts({ service }: { readonly service: ServiceState }) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const nowMs = useNowMs(60_000);
  const { at_ms: atMs, account, codex_version: version, uptime_ms: uptimeMs } = service;
  const generation = service.app_server_generation;
  const facts = [
    account === null ? null : account.plan === null ? account.type : texts.plan(account.plan),
    version === null ? null : texts.codex(version),
    generation === null ? null : texts.generation(formats.count(generation)),
    uptimeMs === null ? null : texts.up(formats.coarseSpan(Math.max(0, nowMs - atMs) + uptimeMs)),
  ];
  return <ul class="facts">{facts.map((fact) => fact !== null && <li key={fact}>{fact}</li>)}</ul>;
}

function NotReady({ service }: { readonly service: ServiceState }) {
  const texts = useTexts(nowTexts);
  const reasons = useTexts(reasonTexts);
  const { code, message } = service.reason ?? { code: "unknown", message: "" };
  const { title, todo, command } = adviceFor(code, reasons);
  return (
    <div class="standing not-ready">
      <ViewHeading>{title}</ViewHeading>
      <p>{todo}</p>
      {command !== null && <Copyable text={command} />}
      {message !== "" && (
        <p class="small">
          {texts.message}: <q class="foreign">{message}</q> <code>{code}</code>
        </p>
      )}
      <Facts service={service} />
    </div>
  );
}

function Counters({
  service: { turns, spare_threads: spares, workers },
}: {
  readonly service: ServiceState;
}) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const ready = workers.filter(({ state }) => state === "ready").length;
  const others = workers.filter(({ state }) => state !== "ready");
  return (
    <dl class="tiles">
      <Tile label={texts.running} value={formats.count(turns.running)} />
      <Tile label={texts.waiting} value={formats.count(turns.waiting)} />
      <Tile label={texts.parked} value={formats.count(turns.parked)} note={texts.parkedNote} />
      <Tile label={texts.spares} value={formats.count(spares)} note={texts.sparesNote} />
      <Tile
        label={texts.workers}
        value={`${formats.count(ready)} / ${formats.count(workers.length)}`}
        note={
          others.length === 0
            ? texts.allConnected
            : others.map(({ id, state }) => `${texts.worker(id)}: ${state}`).join(", ")
        }
        tone={others.length === 0 ? "plain" : "bad"}
      />
    </dl>
  );
}
