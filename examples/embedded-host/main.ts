/**
 * A host program in small: a chat on standard input that embeds the service. The host's own part is the loop below; the
 * service serves other local programs meanwhile, on a port that is printed.
 *
 *   node build/examples/embedded-host/main.js
 */
import { createInterface } from "node:readline/promises";
import { pino } from "pino";
// In a program of your own: from "codex-native-api".
import { CodexNativeApiService, createConfig } from "../../src/main/index.js";

const say = (line: string) => process.stdout.write(`${line}\n`);

function createService(): CodexNativeApiService | null {
  const settings = { listen: { port: 0 }, workers: 1, shutdownGraceMs: 2_000 } as const;
  // With `env`, users configure the host's service as they would `codex-native-api serve`. Leave it out, and nothing but the
  // settings counts.
  const created = createConfig(settings, { env: process.env });
  if (!created.ok) {
    for (const { source, problem } of created.faults) say(`${source}: ${problem}`);
    return null;
  }
  return new CodexNativeApiService({
    config: created.config,
    environment: process.env,
    logger: pino({ level: "error" }, pino.destination(2)),
    providerProfileId: "embedded-host",
  });
}

function tellWhatHappens(service: CodexNativeApiService): void {
  service.on("listening", ({ url }) => say(`listening on ${url}`));
  service.on("accountChanged", ({ current }) =>
    say(`account: ${current?.email ?? current?.authMode ?? "none"}`),
  );
  service.on("ready", ({ codexVersion }) => say(`ready, Codex ${codexVersion}`));
  service.on("unavailable", ({ code, message, recovering }) => {
    say(`${recovering ? "waiting" : "not ready"}: ${code}: ${message}`);
  });
  service.on("stopped", () => say("stopped"));
}

async function answer(url: string, input: string): Promise<string> {
  const reply = await fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input, store: false }),
  });
  const body = (await reply.json()) as {
    output?: { content?: { text?: string }[] }[];
    error?: { message: string } | null;
  };
  if (!reply.ok) return `(${reply.status}: ${body.error?.message})`;
  const parts = (body.output ?? []).flatMap((item) => item.content ?? []);
  return parts.map((part) => part.text ?? "").join("");
}

async function chat(url: string): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  // Signals are the host's: the service listens to none.
  process.once("SIGINT", () => lines.close());
  for await (const line of lines) say(`> ${await answer(url, line)}`);
}

async function main(): Promise<number> {
  const service = createService();
  if (service === null) return 2;
  tellWhatHappens(service);
  const { url } = await service.start();
  if (url === null) {
    say("the configuration says not to start (CODEX_NATIVE_API_ENABLE=0)");
    return 0;
  }
  try {
    // Not needed to serve: until then callers are told to come again. This host wants to know before it takes a line.
    if (!(await service.untilSettled()).ready) return 1;
    await chat(url);
    return 0;
  } finally {
    await service.stop();
  }
}

process.exitCode = await main();
