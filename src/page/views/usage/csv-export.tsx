/** Saves the usage as a file. It is fetched with the token and handed to the browser from memory, so that no address has the token. */
import { useState } from "preact/hooks";
import { useApi } from "../../data/page-context.js";
import { callLater } from "../../data/timers.js";
import { usageTexts } from "../../texts/usage.js";
import { useTexts } from "../../texts/use-texts.js";
import { DownloadIcon } from "../../ui/icons.js";

type Outcome = "none" | "exporting" | "exported" | "exportFailed";

/** Browsers read the file after the click has returned. */
const keepFileMs = 60_000;

export function CsvExport({ isDisabled }: { readonly isDisabled: boolean }) {
  const texts = useTexts(usageTexts);
  const api = useApi();
  const [outcome, setOutcome] = useState<Outcome>("none");
  const save = async () => {
    setOutcome("exporting");
    try {
      const answer = await api.fetch("/v1/usage?format=csv", { headers: { accept: "text/csv" } });
      offerFile(await answer.blob(), `codex-native-api-usage-${new Date().toISOString().slice(0, 10)}.csv`);
      setOutcome("exported");
    } catch {
      // Said beside the button; the view itself says why the service cannot be reached.
      setOutcome("exportFailed");
    }
  };
  return (
    <>
      <span role="status" class={outcome === "exportFailed" ? "small bad" : "small muted"}>
        {outcome === "none" || outcome === "exporting" ? "" : texts[outcome]}
      </span>
      <button
        type="button"
        class="secondary"
        disabled={isDisabled || outcome === "exporting"}
        onClick={() => void save()}
      >
        <DownloadIcon />
        {outcome === "exporting" ? texts.exporting : texts.exportCsv}
      </button>
    </>
  );
}

function offerFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  callLater(keepFileMs, () => URL.revokeObjectURL(url));
}
