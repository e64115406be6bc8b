import { z } from "zod";
import type { JsonObject } from "../../../workers/contract/json.js";
import type { CliContext } from "../cli-context.js";
import { type Command, jsonFlag } from "../command.js";
import { print, refuse, withConfig } from "../configured.js";
import { exitCodes } from "../exit-codes.js";
import { refuseAnswer } from "../refuse-answer.js";
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
      }),
    }),
  ),
});

type Model = z.infer<typeof modelList>["data"][number];

export const modelsCommand: Command = {
  name: "models",
  summary: "list the models of the running service",
  details: ["The default is marked with a star, each model's own reasoning effort with brackets."],
  flags: [jsonFlag("The body of GET /v1/models.")],
  operands: null,
  options: addressOptions,
  examples: ["models", "models --json | jq -r '.data[].id'"],
  exits: ["done", "failed", "configuration", "notReady"],
  run: (context, input) =>
    withConfig(context, input, ({ config }) =>
      withService(context, config, timeoutMs, async (client) => {
        const answer = await client.get("/v1/models", timeoutMs).catch(() => null);
        if (answer === null)
          return refuse(
            context,
            "the service did not answer to the end; is it stopping?",
            exitCodes.notReady,
          );
        const { status, body } = answer;
        if (status !== 200 || body === null) return refuseAnswer(context, answer);
        return input.flags.has("json")
          ? print(context, `${JSON.stringify(body, null, 2)}\n`)
          : printModels(context, body);
      }),
    ),
};

function printModels(context: CliContext, body: JsonObject): number {
  const parsed = modelList.safeParse(body);
  if (!parsed.success)
    return refuse(
      context,
      "the service's list of models cannot be read; is it of another version?",
      exitCodes.failed,
    );
  const idWidth = Math.max(0, ...parsed.data.data.map(({ id }) => id.length));
  return print(context, parsed.data.data.map((model) => renderModel(model, idWidth)).join(""));
}

function renderModel({ id, native_api: native }: Model, idWidth: number): string {
  const { default_reasoning_effort: own, supported_reasoning_efforts: efforts } = native;
  const shown = efforts.map((effort) => (effort === own ? `[${effort}]` : effort)).join(" ");
  return `${native.is_default ? "*" : " "} ${id.padEnd(idWidth)}  ${shown}`.trimEnd().concat("\n");
}
