/** An agent loop of the OpenAI Agents SDK, by its own defaults, over both of its APIs: another base URL and nothing else. */
import {
  Agent,
  MaxTurnsExceededError,
  OpenAIProvider,
  type RunStreamEvent,
  Runner,
  run,
  setDefaultOpenAIClient,
  setOpenAIAPI,
  setTracingDisabled,
  tool,
} from "@openai/agents";
import OpenAI from "openai";
import t from "tap";
import { z } from "zod";
import {
  functionCall,
  httpError,
  lastUserText,
  reasoning,
  reply,
  text,
  textInDeltas,
} from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";

/** Its traces would go to OpenAI. */
setTracingDisabled(true);

const apis = ["responses", "chat_completions"] as const;
type Api = (typeof apis)[number];

const callOf = (city: string, callId: string) =>
  functionCall({ name: "weather", arguments: { city }, callId });

function createWeatherAgent(asked: string[]) {
  const weather = tool({
    name: "weather",
    description: "The weather in a city",
    parameters: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      asked.push(city);
      return { city, sky: "clear" };
    },
  });
  return new Agent({ name: "Forecaster", instructions: "Answer in one sentence.", tools: [weather] });
}

/** As a program would have it: the SDK's own globals, and no model named. */
async function startWithSdk(t: Tap, api: Api): Promise<ServiceHarness> {
  const harness = await startServiceHarness(t);
  setDefaultOpenAIClient(new OpenAI({ apiKey: "unused", baseURL: `${harness.url}/v1` }));
  setOpenAIAPI(api);
  return harness;
}

type Tap = Parameters<typeof startServiceHarness>[0];

/** What the model has seen in the end. */
function lastInputOf({ backend }: ServiceHarness): readonly string[] {
  const input = backend.requests.at(-1)?.fullInput ?? [];
  return input.map((item) => `${item.type} ${item.role ?? item.call_id ?? item.encrypted_content}`);
}

for (const api of apis) {
  t.test(`${api}: an agent answers, with its usage`, async (t) => {
    const harness = await startWithSdk(t, api);
    harness.backend.setDefaultReply((request) => text(`re: ${lastUserText(request)}`));
    const result = await run(createWeatherAgent([]), "hello");
    t.equal(result.finalOutput, "re: hello");
    t.match(result.state.usage, { requests: 1, inputTokens: 12, outputTokens: 7, totalTokens: 19 });
    t.match(harness.backend.requests[0]?.body.tools, [{ type: "function", name: "weather", strict: true }]);
    console.log(harness.backend.requests[0]?.body);
  });

  t.test(`${api}: a loop over tools runs to its end`, async (t) => {
    const harness = await startWithSdk(t, api);
    harness.backend.queueReply(
      reply(
        reasoning({ summary: ["First"], encryptedContent: "gAAAA" }),
        callOf("Rome", "call_1"),
        callOf("Oslo", "call_2"),
      ),
      callOf("Lima", "call_3"),
    );
    harness.backend.setDefaultReply(text("Clear everywhere."));
    const asked: string[] = [];
    const result = await run(createWeatherAgent(asked), "Weather?");
    t.equal(result.finalOutput, "Clear everywhere.");
    t.same(asked, ["Rome", "Oslo", "Lima"]);
    console.log(lastInputOf(harness));
    await pollUntil(() => harness.backend.counters.openStreams === 0);
  });
}
