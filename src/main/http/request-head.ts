/**
 * Refuses heads that two readers could understand in two ways, such as this server and a proxy before it: whoever checked one
 * meaning would let the other through. What node's parser refuses by itself does not get here.
 */
import type { IncomingMessage } from "node:http";
import { CodexNativeApiError } from "../errors.js";
import { isRoutedMethod } from "./method-routes.js";

/** Headers of which a second one would contradict the first. node keeps one of them without a word. */
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
    throw new CodexNativeApiError("not_implemented", `This server has no use for the method ${method}.`);
  }
}

function checkHeaders({ rawHeaders, headers, httpVersion }: IncomingMessage): void {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (!single.has(name)) continue;
    if (seen.has(name)) throw refuse(`The header '${name}' came twice.`);
    seen.add(name);
  }
  if (headers.host === undefined && httpVersion === "1.1") throw refuse("The header 'host' is missing.");
}

function checkTransferCoding({ headers, httpVersion }: IncomingMessage): void {
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return;
  if (httpVersion === "1.0") throw refuse("HTTP/1.0 has no Transfer-Encoding.");
  if (coding.trim().toLowerCase() === "chunked") return;
  throw new CodexNativeApiError("not_implemented", "Of transfer codings this server knows 'chunked' only.");
}

/** A target may name its server, which counts more than the Host header does; here they must agree. */
const absoluteTarget = /^http:\/\/([^/?#]*)/i;

function checkTarget({ url = "", headers }: IncomingMessage): void {
  if (!url.startsWith("/") && url !== "*") {
    const authority = absoluteTarget.exec(url)?.[1];
    if (authority === undefined) throw refuse("The target is neither a path nor an http URL.");
    if (authority.toLowerCase() !== headers.host?.toLowerCase()) {
      throw refuse("The target names another server than the header 'host'.");
    }
  }
  if (!isWellEncoded(url)) throw refuse("The URL is not valid.");
}

function isWellEncoded(url: string): boolean {
  if (!url.includes("%")) return true;
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    // That it throws is the answer.
    return false;
  }
}

function refuse(message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", message);
}
