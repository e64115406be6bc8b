import { routeTo } from "../../data/route.js";
import type { Summary } from "../../figures/summary.js";
import { nowTexts } from "../../texts/now.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { DataTable } from "../../ui/data-table.js";
import { Empty, Panel } from "../../ui/parts.js";

type ErrorCount = Summary["errors"][number];

export function ErrorCodes({ errors }: { readonly errors: Summary["errors"] }) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const columns = [
    { name: texts.code, show: ({ code }: ErrorCount) => <code class="foreign">{code}</code> },
    { name: texts.count, isNumber: true, show: ({ count }: ErrorCount) => formats.count(count) },
    {
      name: texts.requests,
      show: ({ code }: ErrorCount) => (
        <a href={routeTo("requests", { code })} aria-label={texts.showRequestsOf(code)}>
          {texts.showRequests}
        </a>
      ),
    },
  ];
  return (
    <Panel title={texts.errors}>
      {errors.length === 0 ? (
        <Empty>{texts.noErrors}</Empty>
      ) : (
        <DataTable caption={texts.errors} columns={columns} rows={errors} keyOf={({ code }) => code} />
      )}
    </Panel>
  );
}
