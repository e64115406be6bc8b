import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** What may stand in a log line and a header without care. */
const sane = /^[\w.:-]{1,128}$/;

/** The caller's own `x-request-id` if it is sane, so that its logs and ours can be laid side by side; else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && sane.test(given) ? given : createId("req");
}

/** `resp_6f0c…`: OpenAI's form of an id. */
export function createId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll("-", "")}`;
}
