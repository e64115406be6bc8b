/** A checked request body becomes a turn, plus what the answer needs of the request. */
import type { JsonObject } from "../../../workers/contract/json.js";
import type { ItemList } from "../../history/item-list.js";
import type { IsolatedTurnRequest } from "../../runtime/types.js";
import type { Obligation } from "../answers/obligations.js";
import { taskClassOf } from "../requests/metadata.js";
import { isGiven, type UnsupportedParameterPolicy } from "../requests/parameter-fate.js";
import { developerMessage } from "../responses/input-items.js";
import { toNativeTool } from "../tools/native-tool.js";
import { toWebSearchOptions } from "../tools/web-search.js";
import { listIgnoredParameters } from "./ignored-parameters.js";
import { refusals } from "./parameters.js";
import { unsupported } from "./request-error.js";
import type { ChatRequest } from "./request-schema.js";
import { mapResponseFormat } from "./response-format.js";
import { mapTools } from "./tool-mapping.js";

export interface ChatTurn {
  /** Its `items` are the caller's messages. */
  readonly request: IsolatedTurnRequest & { readonly items: ItemList };
  /** Checked against what the model made, by `unmetObligations`. */
  readonly obligations: readonly Obligation[];
  readonly stream: boolean;
  /** Whether a stream tells the usage, in a chunk of its own. */
  readonly includeUsage: boolean;
  /** As asked for; `auto` where nothing was. */
  readonly serviceTier: string;
  readonly metadata: JsonObject | null;
  readonly taskClass: string | null;
  readonly ignoredParameters: readonly string[];
}

/**
 * @throws CodexNativeApiError `unsupported_chat_completions_feature` for what would change the meaning if it were dropped, and
 * for any parameter without a native place under `reject`; `invalid_request` for what contradicts itself.
 */
export function toChatTurn(body: ChatRequest, policy: UnsupportedParameterPolicy): ChatTurn {
  refuseUnmapped(body);
  const ignoredParameters = listIgnoredParameters(body);
  const firstIgnored = ignoredParameters[0];
  if (policy === "reject" && firstIgnored !== undefined) {
    throw unsupported(firstIgnored, "Codex has no place for it, and this server is set to refuse it");
  }
  const format = mapResponseFormat(body.response_format);
  const tools = mapTools(body);
  const directives = [...tools.directives, format.directive].filter(isGiven).map(developerMessage);
  const taskClass = taskClassOf(body.metadata);
  return {
    request: {
      ...toSettings(body),
      ...(taskClass !== null && { taskClass }),
      ...(tools.functions.length > 0 && { tools: tools.functions.map(toNativeTool) }),
      ...(tools.webSearch !== null && { webSearch: toWebSearchOptions(tools.webSearch) }),
      ...(format.outputSchema !== null && { outputSchema: format.outputSchema }),
      items: body.messages.items,
      // No part of the conversation: they hold for this turn.
      ...(directives.length > 0 && { directives }),
    },
    obligations: [...tools.obligations, ...format.obligations],
    stream: body.stream === true,
    includeUsage: body.stream_options?.include_usage === true,
    serviceTier: body.service_tier ?? "auto",
    metadata: body.metadata ?? null,
    taskClass,
    ignoredParameters,
  };
}

function refuseUnmapped(body: ChatRequest): void {
  for (const [name, reason] of Object.entries(refusals)) {
    if (isGiven(body[name])) throw unsupported(name, reason);
  }
  if (isGiven(body.n) && body.n !== 1) throw unsupported("n", "one choice is given to a request");
  if (body.modalities?.some((modality) => modality !== "text") === true) {
    throw unsupported("modalities", "only text is put out");
  }
}

function toSettings(body: ChatRequest): Omit<IsolatedTurnRequest, "items"> {
  const { service_tier: tier } = body;
  // Both words mean what happens when nothing is sent.
  const isOrdinary = !isGiven(tier) || tier === "auto" || tier === "default";
  return {
    ...(isGiven(body.model) && { model: body.model }),
    ...(isGiven(body.priority) && { priority: body.priority }),
    ...(isGiven(body.reasoning_effort) && { effort: body.reasoning_effort }),
    // Chat completions have no parameter for it, and clients that read `reasoning_content` no way to ask.
    summary: "auto",
    ...(isGiven(body.verbosity) && { verbosity: body.verbosity }),
    ...(!isOrdinary && { serviceTier: tier }),
  };
}
