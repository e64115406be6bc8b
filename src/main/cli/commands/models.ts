import { z } from "zod";
import type { JsonObject } from "../../../workers/contract/json.js";
import { isGiven } from "../../dialects/requests/fields.js";
import type { CliContext } from "../cli-context.js";
import { type ConfiguredCommand, jsonFlag } from "../command.js";
import { exitCodes } from "../exit-codes.js";
import { CommandRefusal, print, printJson, refusalOfAnswer } from "../outcome.js";
import { withService } from "../with-service.js";
import { addressOptions } from "./health.js";

const timeoutMs = 15_000;

const modelList = z.looseObject({
  data: z.array(
    z.looseObject({
      id: z.string(),
      native_api: z.looseObject({
        display_name: z.string(),
        is_default: z.boolean(),
        default_reasoning_effort: z.string().nullable(),
        supported_reasoning_efforts: z.array(z.string()),
        stands_for: z.looseObject({ model: z.string(), service_tier: z.string().nullable() }).nullish(),
      }),
    }),
  ),
});

type Model = z.infer<typeof modelList>["data"][number];

export const modelsCommand: ConfiguredCommand = {
  name: "models",
  summary: "list the models of the running service",
  details: [
    "A star marks the default model, brackets mark each model's default reasoning effort. Behind an alias is what it stands for.",
  ],
  flags: [jsonFlag("The body of GET /v1/models.")],
  operands: null,
  options: addressOptions,
  examples: ["models", "models --json | jq -r '.data[].id'"],
  exits: ["done", "failed", "configuration", "notReady"],
  run: (context, input, { config }) =>
    withService(config, timeoutMs, async ({ client }) => {
      const answer = await client.get("/v1/models", timeoutMs).catch(() => null);
      if (answer === null)
        throw new CommandRefusal("the service did not finish its answer", exitCodes.notReady);
      const { status, body } = answer;
      if (status !== 200 || body === null) throw refusalOfAnswer(answer);
      return input.flags.has("json") ? printJson(context, body) : printModels(context, body);
    }),
};

function printModels(context: CliContext, body: JsonObject): number {
  const models = modelList.safeParse(body).data?.data;
  if (models === undefined)
    throw new CommandRefusal("the list of models is of another version of the service", exitCodes.failed);
  const idWidth = Math.max(0, ...models.map(({ id }) => id.length));
  return print(context, models.map((model) => renderModel(model, idWidth)).join(""));
}

function renderModel({ id, native_api: native }: Model, idWidth: number): string {
  const { default_reasoning_effort: own, supported_reasoning_efforts: efforts, stands_for: meant } = native;
  if (isGiven(meant)) {
    const words = [meant.model, own, meant.service_tier].filter((word) => word !== null);
    return `  ${id.padEnd(idWidth)}  = ${words.join(" ")}\n`;
  }
  const shown = efforts.map((effort) => (effort === own ? `[${effort}]` : effort)).join(" ");
  return `${native.is_default ? "*" : " "} ${id.padEnd(idWidth)}  ${shown}`.trimEnd().concat("\n");
}
