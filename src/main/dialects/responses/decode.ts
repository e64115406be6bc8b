/** A checked request body becomes a turn, plus what the answer repeats of the request. */
import { ItemList } from "../../history/item-list.js";
import type { Decoding, DialectTurn } from "../dialect.js";
import { isGiven } from "../requests/fields.js";
import { refuseParameters, rejectIgnored } from "../requests/parameters.js";
import type { JsonBody } from "../requests/parse-body.js";
import { fieldError } from "../requests/schema-fault.js";
import {
  listBridgeSurroundings,
  readBridgeTask,
  textMessage,
  toCapabilities,
  toSettings,
} from "../requests/turn-request.js";
import { mapTextFormat } from "../structured-output/text-format.js";
import { MergedTools } from "../tools/brought-tools.js";
import { offerTools, settleTools } from "../tools/tool-choice.js";
import type { Tool } from "../tools/tool-schemas.js";
import { unsupported } from "./errors.js";
import { encryptedReasoning, listIgnoredParameters, parameters } from "./parameters.js";
import { echoRequest, type RequestEcho } from "./request-echo.js";
import { type ResponsesRequest, readResponsesRequest } from "./request-schema.js";

export interface ResponsesTurn extends DialectTurn {
  readonly echo: RequestEcho;
  readonly includeEncryptedReasoning: boolean;
}

export async function decodeResponses(
  body: JsonBody,
  { pace, unsupportedParameters, mayBeEmpty = false }: Decoding,
): Promise<ResponsesTurn> {
  const request = await readResponsesRequest(body, pace, mayBeEmpty);
  await pace.breathe();
  return toResponsesTurn(request, unsupportedParameters);
}

const formatPlace = { param: "text.format", schemaPath: ["text", "format", "schema"] };

/**
 * @throws CodexNativeApiError `unsupported_responses_feature` for what would change the meaning if it were dropped, and for
 * any parameter without a native place under `reject`; `invalid_request` for what contradicts itself.
 */
export function toResponsesTurn(
  body: ResponsesRequest,
  policy: Decoding["unsupportedParameters"],
): ResponsesTurn {
  refuseParameters(body, parameters, unsupported);
  if (isGiven(body.n) && body.n !== 1) {
    throw unsupported("n", "is a parameter of chat completions: here a request gets one answer");
  }
  const { tools, choice } = settleTools(body.tools ?? [], body.tool_choice ?? "auto");
  if (body.background === true && body.store === false) {
    throw fieldError("background", "a background response must be stored, so 'store' cannot be false");
  }
  const ignoredParameters = listIgnoredParameters(body);
  rejectIgnored(ignoredParameters, policy, unsupported);
  const echo = echoRequest({ ...body, tools: [...tools], tool_choice: choice });
  const { effort, summary } = echo.reasoning;
  const format = mapTextFormat(body.text?.format, formatPlace);
  const offerWith = (brought: readonly Tool[]) => {
    const offered = offerTools({
      tools: withItemTools(tools, body, brought),
      choice,
      parallelToolCalls: echo.parallel_tool_calls,
      maxToolCalls: echo.max_tool_calls,
    });
    return toCapabilities(offered, format);
  };
  const input = typeof body.input === "object" ? body.input : null;
  const hasHistory = isGiven(body.previous_response_id) || input?.isPaired === false;
  const capabilities = hasHistory ? null : offerWith(input?.foundTools ?? []);
  const settings = toSettings({ ...body, verbosity: body.text?.verbosity });
  return {
    request: {
      ...settings,
      ...(isGiven(body.instructions) && { instructions: body.instructions }),
      ...(effort !== null && { effort }),
      ...(summary !== null && { summary }),
      ...capabilities?.request,
      items: toItems(body),
    },
    isPaired: input?.isPaired !== false,
    obligations: capabilities?.obligations ?? [],
    offerWith: capabilities === null ? offerWith : null,
    previousResponseId: echo.previous_response_id,
    metadata: echo.metadata,
    taskClass: settings.taskClass ?? null,
    bridgeTask: readBridgeTask(body, choice),
    stream: body.stream === true,
    store: echo.store,
    background: echo.background,
    echo,
    includeEncryptedReasoning: body.include?.includes(encryptedReasoning) === true,
    ignoredParameters: [...ignoredParameters, ...listBridgeSurroundings(body)],
  };
}

/** Also those that items of the request bring, and before them the history. */
function withItemTools(
  tools: readonly Tool[],
  { input }: ResponsesRequest,
  brought: readonly Tool[],
): readonly Tool[] {
  const more = typeof input === "object" && input !== null ? input.tools : [];
  if (more.length === 0 && brought.length === 0) return tools;
  const merged = new MergedTools();
  merged.add(tools);
  merged.add(more);
  merged.addMissing(brought);
  return merged.all;
}

function toItems({ input }: ResponsesRequest): ItemList {
  if (typeof input === "string") return ItemList.of([textMessage("user", input)]);
  return input?.items ?? ItemList.empty;
}
