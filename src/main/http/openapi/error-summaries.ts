import type { CodexNativeApiErrorCode } from "../../errors.js";

/** One line for each code; docs/errors.md says what to do. */
export const errorSummaries: Readonly<Record<CodexNativeApiErrorCode, string>> = {
  invalid_json: "The body is not JSON.",
  invalid_request: "The request breaks the schema; `param` names the path.",
  unsupported_responses_feature:
    "Valid for OpenAI, but Codex has no place for it and leaving it out would change the meaning.",
  unsupported_chat_completions_feature:
    "Valid for OpenAI, but Codex has no place for it and leaving it out would change the meaning.",
  context_length_exceeded: "The input does not fit into the model's context.",
  upstream_bad_request: "The model backend or Codex refused the request; the message is theirs.",
  upstream_forbidden:
    "The model backend does not let this account or machine do it; the message is the backend's.",
  content_policy_violation: "The backend's policy refused the request.",
  invalid_auth_token: "The bearer token is missing, wrong or switched off.",
  host_not_allowed: "The `Host` header names neither loopback nor an allowed host.",
  origin_not_allowed: "A web page whose origin is not allowed called.",
  model_not_allowed: "The token may not use this model.",
  route_not_found: "There is no such route.",
  model_not_found: "The model is not in the catalog of this Codex login, or the backend refused it.",
  response_not_found: "No stored response of this token has this id.",
  continuation_not_found: "`previous_response_id` is not known.",
  method_not_allowed: "The route does not have this method; `Allow` lists those it has.",
  continuation_provider_mismatch: "The chain began under another provider profile.",
  continuation_account_mismatch: "The chain began under another Codex account.",
  response_in_progress: "The response that is to be continued is still being made.",
  continuation_expired: "What is to be continued was stored and is not any more.",
  request_timeout: "The request arrived too slowly, or did not arrive whole.",
  request_headers_too_large: "The target and the headers are larger than this server takes.",
  body_too_large: "The body is larger than this server takes.",
  unsupported_media_type: "The body is not declared as JSON.",
  token_concurrency_exceeded: "The token has as many turns under way as it may.",
  queue_full: "Too many turns wait already, or too much of their bodies is held.",
  rate_limit_exceeded: "The model backend takes no more requests or connections for now.",
  usage_limit_reached: "The plan's allowance is used up.",
  turn_cancelled: "The caller gave the turn up; nobody is left to read this.",
  internal_error: "Something this service did not foresee; its log has the cause.",
  not_implemented: "The route, the method or the transfer coding is known and not built.",
  upstream_connection_failed: "The model backend could not be reached, or cut the stream.",
  queue_timeout: "The turn waited too long for a place. Nothing of it ran.",
  native_login_required: "Codex is not logged in on this machine.",
  native_runtime_unavailable:
    "There is no app-server to run the turn: it is starting, restarting, missing or shutting down.",
  server_overloaded: "The model backend or the app-server has too much to do.",
  turn_stalled: "Nothing was heard of the turn for too long, or the model got nowhere.",
  turn_timeout: "The turn ran for longer than a turn may.",
};
