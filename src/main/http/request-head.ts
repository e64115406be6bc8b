/**
 * Refuses heads that this service and a proxy before it could read in two ways: a proxy that checked one meaning would let the other
 * through. node's parser refuses other faults before this runs.
 */
import type { IncomingMessage } from "node:http";
import { CodexNativeApiError } from "../errors.js";
import { isRoutedMethod } from "./method-routes.js";

/** Headers whose second value would contradict the first. node keeps one of them without an error. */
const single: ReadonlySet<string> = new Set(["host", "authorization", "content-type", "origin"]);

/** @throws CodexNativeApiError `invalid_request` or `not_implemented`. */
export function checkHead(request: IncomingMessage): void {
  checkMethodAndVersion(request);
  checkHeaders(request);
  checkTransferCoding(request);
  checkTarget(request);
}

function checkMethodAndVersion({ method = "", httpVersion }: IncomingMessage): void {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") throw refuse("Send the request as HTTP/1.1.");
  if (!isRoutedMethod(method)) {
    throw new CodexNativeApiError("not_implemented", `This service does not implement the method ${method}.`);
  }
}

function checkHeaders({ rawHeaders, headers, httpVersion }: IncomingMessage): void {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (!single.has(name)) continue;
    if (seen.has(name)) throw refuse(`The request has the header '${name}' twice.`);
    seen.add(name);
  }
  if (headers.host === undefined && httpVersion === "1.1") throw refuse("The header 'host' is missing.");
}

function checkTransferCoding({ headers, httpVersion }: IncomingMessage): void {
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return;
  if (httpVersion === "1.0") throw refuse("HTTP/1.0 has no Transfer-Encoding.");
  if (coding.trim().toLowerCase() === "chunked") return;
  throw new CodexNativeApiError("not_implemented", "The only transfer coding of this service is 'chunked'.");
}

/** A target may name its server, which overrides the Host header in HTTP; here the two must agree. */
const absoluteTarget = /^http:\/\/([^/?#]*)/i;

function checkTarget({ url = "", headers }: IncomingMessage): void {
  if (!url.startsWith("/") && url !== "*") {
    const authority = absoluteTarget.exec(url)?.[1];
    if (authority === undefined) throw refuse("The target is neither a path nor an http URL.");
    if (authority.toLowerCase() !== headers.host?.toLowerCase()) {
      throw refuse("The target names another server than the header 'host'.");
    }
  }
  try {
    decodeURIComponent(url);
  } catch {
    throw refuse("The URL is not valid.");
  }
}

function refuse(message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", message);
}
