/** Which model answers a decision, for those that ask a runtime themselves. Decisions have no parameter for the effort: the name carries it. */
import { officialDecisionModel } from "../../config/defaults.js";
import type { IsolatedTurnRequest, NamedModel, NativeTurnRuntime } from "../../runtime/types.js";
import { fieldError } from "../requests/schema-fault.js";

/**
 * The `model` of a request for this model and effort; undefined where neither is given, so that the service chooses.
 *
 * @throws CodexNativeApiError `invalid_request` for a name that has an effort already.
 */
export function nameWithEffort(model: string | undefined, effort: string | undefined): string | undefined {
  if (effort === undefined) return model;
  const name = model ?? officialDecisionModel;
  if (/\([^()]*\)$/.test(name)) throw fieldError("effort", "stands in the model's name already");
  return `${name}(${effort})`;
}

/** Gives a request the model that its name stands for, and effort and tier of that name where it has none itself. */
export function withName<Request extends IsolatedTurnRequest>(
  request: Request,
  { model, effort, serviceTier }: NamedModel,
): Request {
  return {
    ...request,
    model,
    requestedModel: request.model ?? null,
    ...(effort !== null && request.effort === undefined && { effort }),
    ...(serviceTier !== null && request.serviceTier === undefined && { serviceTier }),
  };
}

/** Gives a decision's turn the model that the service would. A runtime that resolves no names has its own default. Rejects as `resolveModel`. */
export async function withDecisionModel<Request extends IsolatedTurnRequest>(
  request: Request,
  runtime: Pick<NativeTurnRuntime, "resolveModel">,
): Promise<Request> {
  const named = await runtime.resolveModel?.(request.model ?? officialDecisionModel, { forDecisions: true });
  return named === undefined ? request : withName(request, named);
}
