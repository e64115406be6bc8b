/** The whole service on the real app-server, at an account that takes few turns at once. */
import OpenAI from "openai";
import { type AccountLimitSettings, delayed, reply, text } from "./offline-backend/index.js";
import { type ServiceHarness, startServiceHarness } from "./service-harness.js";

/** How long the model takes for each turn, in milliseconds. */
export const turnMs = 300;

export async function startLimited(
  t: Parameters<typeof startServiceHarness>[0],
  limits: AccountLimitSettings,
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceHarness> {
  const harness = await startServiceHarness(t, { backend: { limits }, env });
  harness.backend.setDefaultReply(delayed(turnMs, reply(text("ok"))));
  await harness.untilReady();
  return harness;
}

/** Asks from so many callers at once, half of them for streams, and gives the texts or the statuses of their errors. */
export function askMany({ client }: ServiceHarness, callers: number): Promise<readonly (string | number)[]> {
  const ask = async (_: unknown, index: number): Promise<string | number> => {
    try {
      const input = `caller ${index}`;
      // Half of them as streams, whose heads wait too.
      if (index % 2 === 0) return (await client.responses.create({ input, store: false })).output_text;
      const stream = client.responses.stream({ model: "gpt-5.5", input, store: false });
      return (await stream.finalResponse()).output_text;
    } catch (error) {
      return error instanceof OpenAI.APIError ? (error.status ?? 0) : String(error);
    }
  };
  return Promise.all(Array.from({ length: callers }, ask));
}
