import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** Texts that are safe in a log line and in a header. */
const safe = /^[\w.:-]{1,128}$/;

/** The caller's own `x-request-id` if it is safe, so that its logs and ours can be compared; else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && safe.test(given) ? given : createId("req");
}

/** `resp_6f0c…`: OpenAI's form of an id. */
export function createId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll("-", "")}`;
}
