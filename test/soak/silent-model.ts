/** A model that says nothing for minutes, as deep reasoning does, with each kind of caller waiting for it. */
import OpenAI from "openai";
import { silent, text } from "../support/offline-backend/index.js";
import { pause, ServiceProcess } from "./service-process.js";

export interface SilenceResult {
  readonly text: string;
  readonly ok: boolean;
}

/** A stream carries a comment every 15 s; more than this between two bytes, and proxies and clients give up. */
const maxGapMs = 25_000;
const answer = "thought through";

/** Runs on a service of its own: what happens to other turns must not end this one. Once with each kind of login. */
export async function runSilentModel(
  minutes: number,
  interruption: AbortSignal,
): Promise<readonly SilenceResult[]> {
  const logins = ["chatgpt", "provider"] as const;
  const results = await Promise.all(logins.map((login) => runOn(login, minutes, interruption)));
  return results.flat();
}

async function runOn(
  login: "chatgpt" | "provider",
  minutes: number,
  interruption: AbortSignal,
): Promise<readonly SilenceResult[]> {
  const service = await ServiceProcess.start(login);
  // Its callers' requests end with it.
  interruption.addEventListener("abort", () => void service.stop(), { once: true });
  try {
    service.backend.setDefaultReply(silent(minutes * 60_000, text(answer)));
    const client = new OpenAI({
      apiKey: "unused",
      baseURL: `${service.url}/v1`,
      maxRetries: 0,
      timeout: (minutes + 10) * 60_000,
    });
    const callers = {
      stream: readStream(service.url),
      json: readJson(client),
      chat: readChat(client),
      background: readBackground(client),
    };
    return await Promise.all(
      Object.entries(callers).map(async ([name, said]): Promise<SilenceResult> => {
        const beganMs = performance.now();
        const outcome = await said.catch((error: unknown) => `failed: ${String(error)}`);
        const took = `${((performance.now() - beganMs) / 60_000).toFixed(1)} min`;
        return { text: `${login}, ${name}: ${outcome} after ${took}`, ok: outcome.startsWith(answer) };
      }),
    );
  } finally {
    await service.stop();
  }
}

/** What was said, and the longest time without a byte. */
async function readStream(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: "think", stream: true }),
  });
  let received = "";
  let lastMs = performance.now();
  let gapMs = 0;
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    gapMs = Math.max(gapMs, performance.now() - lastMs);
    lastMs = performance.now();
    received += chunk;
  }
  const isWhole = received.includes("event: response.completed") && received.includes(answer);
  const gap = `${(gapMs / 1_000).toFixed(1)} s at most between two bytes`;
  return isWhole && gapMs < maxGapMs ? `${answer}, ${gap}` : `not whole, ${gap}: ${received.slice(-300)}`;
}

/** Node's client gives up after five minutes without a byte. */
const keptAlive = { headers: { "x-codex-keep-alive": "whitespace" } };

async function readJson(client: OpenAI): Promise<string> {
  const { status, output_text: said } = await client.responses.create({ input: "think" }, keptAlive);
  return status === "completed" ? said : `ended as ${status}`;
}

async function readChat(client: OpenAI): Promise<string> {
  const messages = [{ role: "user" as const, content: "think" }];
  const { choices } = await client.chat.completions.create({ model: "gpt-5.5", messages }, keptAlive);
  return choices[0]?.message.content ?? "no answer";
}

async function readBackground(client: OpenAI): Promise<string> {
  let response = await client.responses.create({ input: "think", background: true });
  while (response.status === "queued" || response.status === "in_progress") {
    await pause(5_000);
    response = await client.responses.retrieve(response.id);
  }
  return response.status === "completed" ? response.output_text : `ended as ${response.status}`;
}
