/** A refusal of the service's, told to people and turned into an exit code. */

import { isJsonObject } from "../../workers/contract/json.js";
import { type CodexNativeApiErrorCode, errorKinds } from "../errors.js";
import type { CliContext } from "./cli-context.js";
import { refuse } from "./configured.js";
import { exitCodes } from "./exit-codes.js";
import type { ServiceAnswer } from "./service-client.js";

export function refuseAnswer(context: CliContext, { status, body }: ServiceAnswer): number {
  const error = isJsonObject(body?.error) ? body.error : {};
  const message = typeof error.message === "string" ? error.message : `the service answered ${status}`;
  return refuseError(context, typeof error.code === "string" ? error.code : null, message);
}

export function refuseError(context: CliContext, code: string | null, message: string): number {
  return refuse(context, code === null ? message : `${message} (${code})`, exitCodeOf(code));
}

/** Not there or not able to: another attempt later may do, and monitors want to know it from a failure. */
const notReady: readonly string[] = ["native_login_required", "native_runtime_unavailable"];

function exitCodeOf(code: string | null): number {
  if (code === null || !isKnown(code)) return exitCodes.failed;
  if (notReady.includes(code)) return exitCodes.notReady;
  const { status } = errorKinds[code];
  const isOurs = code.startsWith("invalid_") || code.startsWith("unsupported_") || code === "model_not_found";
  return isOurs || status === 401 ? exitCodes.configuration : exitCodes.failed;
}

function isKnown(code: string): code is CodexNativeApiErrorCode {
  return Object.hasOwn(errorKinds, code);
}
