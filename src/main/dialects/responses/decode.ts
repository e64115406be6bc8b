/** A checked request body becomes a turn, plus what the answer repeats of the request. */
import { CodexNativeApiError } from "../../errors.js";
import { ItemList } from "../../history/item-list.js";
import type { IsolatedTurnRequest } from "../../runtime/types.js";
import type { Decoding, DialectTurn } from "../dialect.js";
import {
  isGiven,
  nativeServiceTier,
  taskClassOf,
  type UnsupportedParameterPolicy,
} from "../requests/fields.js";
import type { JsonBody } from "../requests/parse-body.js";
import { type FormatMapping, mapTextFormat } from "../structured-output/text-format.js";
import { toNativeTool, toWebSearchOptions } from "../tools/native-tool.js";
import { type OfferedTools, offerTools } from "../tools/tool-choice.js";
import { unsupported } from "./errors.js";
import { developerMessage, userMessage } from "./input-items.js";
import { listIgnoredParameters, refusals } from "./parameters.js";
import { echoRequest, type RequestEcho } from "./request-echo.js";
import { type ResponsesRequest, readResponsesRequest } from "./request-schema.js";

export interface ResponsesTurn extends DialectTurn {
  readonly echo: RequestEcho;
  readonly includeEncryptedReasoning: boolean;
}

export async function decodeResponses(
  body: JsonBody,
  { pace, unsupportedParameters }: Decoding,
): Promise<ResponsesTurn> {
  const request = await readResponsesRequest(body, pace);
  await pace.breathe();
  return toResponsesTurn(request, unsupportedParameters);
}

/**
 * @throws CodexNativeApiError `unsupported_responses_feature` for what would change the meaning if it were dropped, and for
 * any parameter without a native place under `reject`; `invalid_request` for what contradicts itself.
 */
export function toResponsesTurn(body: ResponsesRequest, policy: UnsupportedParameterPolicy): ResponsesTurn {
  refuseUnmapped(body);
  const ignoredParameters = listIgnoredParameters(body);
  const firstIgnored = ignoredParameters[0];
  if (policy === "reject" && firstIgnored !== undefined) {
    throw unsupported(firstIgnored, "Codex has no place for it, and this server is set to refuse it");
  }
  const echo = echoRequest(body);
  const taskClass = taskClassOf(body.metadata);
  const format = mapTextFormat(body.text?.format);
  const tools = offerTools({
    tools: body.tools ?? [],
    choice: echo.tool_choice,
    parallelToolCalls: echo.parallel_tool_calls,
  });
  const directives = [...tools.directives, format.directive].filter(isGiven).map(developerMessage);
  return {
    request: {
      ...toSettings(body, echo),
      ...(taskClass !== null && { taskClass }),
      ...toCapabilities(tools, format),
      items: toItems(body),
      // No part of the conversation: they hold for this turn and are not stored.
      ...(directives.length > 0 && { directives }),
    },
    isPaired: typeof body.input !== "object" || body.input === null || body.input.isPaired,
    obligations: [...tools.obligations, ...format.obligations],
    previousResponseId: echo.previous_response_id,
    metadata: echo.metadata,
    taskClass,
    stream: body.stream === true,
    store: echo.store,
    background: echo.background,
    echo,
    includeEncryptedReasoning: body.include?.includes("reasoning.encrypted_content") === true,
    ignoredParameters,
  };
}

function refuseUnmapped(body: ResponsesRequest): void {
  for (const [name, reason] of Object.entries(refusals)) {
    if (isGiven(body[name])) throw unsupported(name, reason);
  }
  if (isGiven(body.n) && body.n !== 1) throw unsupported("n", "one answer is given to a request");
  const { modalities } = body;
  if (Array.isArray(modalities) && modalities.some((modality) => modality !== "text")) {
    throw unsupported("modalities", "only text is put out");
  }
  if (body.background === true && body.store === false) {
    throw new CodexNativeApiError(
      "invalid_request",
      "'background': a background response must be stored, so 'store' cannot be false.",
      { param: "background" },
    );
  }
}

function toItems({ input }: ResponsesRequest): ItemList {
  if (typeof input === "string") return ItemList.of([userMessage(input)]);
  return input?.items ?? ItemList.empty;
}

function toSettings(body: ResponsesRequest, echo: RequestEcho): Omit<IsolatedTurnRequest, "items"> {
  const serviceTier = nativeServiceTier(body.service_tier);
  return {
    ...(isGiven(body.model) && { model: body.model }),
    ...(isGiven(body.priority) && { priority: body.priority }),
    ...(isGiven(body.instructions) && { instructions: body.instructions }),
    ...(echo.reasoning.effort !== null && { effort: echo.reasoning.effort }),
    ...(echo.reasoning.summary !== null && { summary: echo.reasoning.summary }),
    ...(isGiven(body.text?.verbosity) && { verbosity: body.text.verbosity }),
    ...(serviceTier !== null && { serviceTier }),
  };
}

function toCapabilities(tools: OfferedTools, format: FormatMapping): Omit<IsolatedTurnRequest, "items"> {
  return {
    ...(tools.functions.length > 0 && { tools: tools.functions.map(toNativeTool) }),
    ...(tools.webSearch !== null && { webSearch: toWebSearchOptions(tools.webSearch) }),
    ...(format.outputSchema !== null && { outputSchema: format.outputSchema }),
  };
}
