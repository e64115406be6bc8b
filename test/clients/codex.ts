/** The Codex CLI as a client: `codex exec` in a folder of its own, of one version, with one model and over one transport. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CodexClient, makeCodexClient } from "../support/codex-client.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { fetchCodex, versionsCache } from "../versions/fetch-codex.js";
import { attempt, expect, type Outcome } from "./capabilities.js";
import type { ClientsService } from "./service.js";

export interface CodexKind {
  readonly version: string;
  readonly model: string;
  readonly websockets: boolean;
}

export async function runCodex(kind: CodexKind, service: ClientsService): Promise<readonly Outcome[]> {
  const { version, model, websockets } = kind;
  const binary = await fetchCodex(version, versionsCache);
  const root = await makeTemporaryDirectory(service);
  const client = await makeCodexClient({ root, url: service.url, model, websockets, command: [binary] });
  const says = async (words: RegExp, args: readonly string[]) => {
    const { code, stdout, stderr } = await client.run(args);
    expect(code === 0 && words.test(stdout), { code, stdout, stderr: stderr.slice(-1_500) });
    return stdout;
  };
  const methods = service.methodsSince();
  const outcomes = [
    await attempt("text", async () => void (await says(/Hello from the model/, ["Say hello."]))),
    await attempt("chain / resume", async () => {
      await says(/Say hello/, ["resume", "--last", "What was said?"]);
    }),
    await attempt("stream", async () => {
      expect(/"type":"turn.completed"/.test(await says(/Hello/, ["--json", "Say hello."])), "no end");
    }),
    await attempt("shell and patch", () => workInFolder(client, says)),
    await attempt("structured output", async () => {
      const schema = join(root, "schema.json");
      await writeFile(schema, JSON.stringify(person));
      await says(/"age":36/, ["--output-schema", schema, "Who is it?"]);
    }),
    await attempt("abort", async () => {
      const leave = new AbortController();
      const running = client.run(["Never end."], { signal: leave.signal });
      await service.untilBusy();
      leave.abort();
      await running;
      await service.untilIdle();
    }),
  ];
  if (outcomes.find(({ capability }) => capability === "shell and patch")?.result === "ok") {
    // Its patch is a custom tool, and so are the scripts of newer models; older ones call functions besides.
    outcomes.push({ capability: "custom tools", result: "ok", reason: "" });
    if (model === "gpt-5.5") outcomes.push({ capability: "functions", result: "ok", reason: "" });
  }
  const used = methods();
  if (websockets) {
    // The handshake of a socket is a request by itself.
    const check = async () => expect(!used.includes("POST") && used.includes("WS"), used);
    outcomes.push(await attempt("WebSocket", check));
  }
  return outcomes;
}

const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "number" } },
  required: ["name", "age"],
  additionalProperties: false,
};

async function workInFolder(
  client: CodexClient,
  says: (words: RegExp, args: readonly string[]) => Promise<string>,
): Promise<void> {
  await says(/All done after 2 outputs/, ["Work with your tools."]);
  const work = await client.readWork();
  expect(work.where === client.folder && work.made === "made\n", work);
}
