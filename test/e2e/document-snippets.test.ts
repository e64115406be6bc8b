/** What the documents show of clients, run as it stands there. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import t from "tap";
import { decide, isDecision } from "../support/offline-backend/decisions.js";
import { textInDeltas } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";

const documentedUrl = "http://127.0.0.1:43182";

interface Snippet {
  readonly name: string;
  readonly language: string;
  readonly code: string;
}

/** The blocks of a page that call the service where it listens by default. */
function readSnippets(page: string): readonly Snippet[] {
  const blocks = [...readFileSync(page, "utf8").matchAll(/^```(sh|ts)\n(.*?)^```$/gms)];
  return blocks
    .map(([, language = "", code = ""], index) => ({ name: `${page}, block ${index + 1}`, language, code }))
    .filter(({ code }) => code.includes(documentedUrl));
}

async function runSnippet({ language, code }: Snippet, url: string) {
  const here = code.replaceAll(documentedUrl, url);
  const [command, ...argv] =
    language === "sh" ? ["sh", "-ec", here] : [process.execPath, "--input-type=module", "--eval", here];
  const child = spawn(command ?? "", argv, {
    env: { PATH: process.env.PATH ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  const faults: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => output.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => faults.push(text));
  const [code_] = await once(child, "close");
  return { code: code_, output: output.join(""), faults: faults.join("") };
}

const curlMissing = spawnSync("curl", ["--version"]).error !== undefined;

for (const [page, least] of [
  ["README.md", 3],
  ["docs/clients.md", 6],
  ["docs/http-api.md", 3],
] as const) {
  t.test(`the snippets of ${page} work`, async (t) => {
    const { backend, url, untilReady } = await startServiceHarness(t);
    const colours = textInDeltas("teal and mauve", 3, 1);
    backend.setDefaultReply((request) => (isDecision(request) ? decide(request) : colours));
    await untilReady();
    const snippets = readSnippets(page);
    t.ok(snippets.length >= least, `${snippets.length} snippets`);
    for (const snippet of snippets) {
      if (snippet.language === "sh" && curlMissing) continue;
      const { code, output, faults } = await runSnippet(snippet, url);
      t.equal(code, 0, `${snippet.name}: ${faults}`);
      const asksDecision = snippet.code.includes("/v1/decisions");
      t.match(output, asksDecision ? /"probability":0.75/ : /teal/, snippet.name);
    }
  });
}
