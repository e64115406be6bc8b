import { useState } from "preact/hooks";
import { groupUsage, type UsageGroup, type UsageKey, usageKeys } from "../../figures/usage-table.js";
import { usageTexts } from "../../texts/usage.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { DataTable } from "../../ui/data-table.js";
import { Choice, Panel } from "../../ui/parts.js";
import type { Usage } from "../../wire.js";

export function UsageGroups({ usage }: { readonly usage: Usage }) {
  const texts = useTexts(usageTexts);
  const [by, setBy] = useState<UsageKey>("model");
  const nameOf = (key: UsageKey) => texts[`by_${key}`];
  const choice = <Choice label={texts.by} values={usageKeys} chosen={by} nameOf={nameOf} onChoose={setBy} />;
  return (
    <Panel title={texts.groups} aside={choice}>
      <GroupTable groups={groupUsage(usage.data, by)} by={by} />
    </Panel>
  );
}

function GroupTable({ groups, by }: { readonly groups: readonly UsageGroup[]; readonly by: UsageKey }) {
  const texts = useTexts(usageTexts);
  const formats = useFormats();
  const all = groups.reduce((sum, { input, output }) => sum + input + output, 0);
  const largest = Math.max(1, ...groups.map(({ input, output }) => input + output));
  const empty = {
    caller: texts.noCaller,
    model: texts.noModel,
    route: "–",
    task_class: texts.noClass,
    hour: texts.severalHours,
  };
  const nameOf = ({ key }: UsageGroup): string => {
    if (key === null) return empty[by];
    return by === "hour" ? formats.dateTime(Number(key)) : key;
  };
  const figure = (name: string, of: (group: UsageGroup) => number) => ({
    name,
    isNumber: true,
    show: (group: UsageGroup) => formats.count(of(group)),
  });
  const columns = [
    { name: texts[`by_${by}`], show: (group: UsageGroup) => <span class="foreign">{nameOf(group)}</span> },
    figure(texts.requests, ({ requests }) => requests),
    figure(texts.failedRequests, ({ failed }) => failed),
    figure(texts.input, ({ input }) => input),
    figure(texts.cached, ({ cached }) => cached),
    figure(texts.output, ({ output }) => output),
    figure(texts.reasoning, ({ reasoning }) => reasoning),
    {
      name: texts.share,
      show: ({ input, output }: UsageGroup) => (
        <span class="share">
          <span class="share-bar" aria-hidden="true">
            <span style={{ width: `${((input + output) / largest) * 100}%` }} />
          </span>
          {formats.percent(all === 0 ? 0 : (input + output) / all)}
        </span>
      ),
    },
  ];
  return (
    <DataTable
      caption={texts[`by_${by}`]}
      columns={columns}
      rows={groups}
      keyOf={({ key }) => (key === null ? "none" : `key ${key}`)}
    />
  );
}
