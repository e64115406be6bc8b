/** Reads messages of the upstream: takes apart bodies in JSON and pages in HTML, and leaves out addresses and secrets. */
import { isJsonObject, type JsonObject } from "../contract/json.js";
import { limits } from "../contract/limits.js";

/** Only the beginning of a longer text is read. */
const maxReadChars = 256 * 1024;
const maxPageChars = 8 * 1024;
const maxPageWordsChars = 300;
/** Bodies within bodies: a gateway's page as the message of a WebSocket's error event, for one. */
const maxNesting = 4;

/** A refusal of the backend's, or Codex's message about one. */
export interface UpstreamWords {
  /** For people, and safe for a caller; empty where there are none. */
  readonly words: string;
  /** HTTP status, if the text names one, with its reason phrase. */
  readonly status: number | null;
  readonly reason: string | null;
  /** `code` or `type` of the body. */
  readonly code: string | null;
  readonly param: string | null;
  /** It was a WebSocket upgrade that was refused. */
  readonly isUpgrade: boolean;
  /** It was the login's token that could not be refreshed. */
  readonly isRefresh: boolean;
  /** The text was a body or a page, which only a backend writes. */
  readonly isBody: boolean;
}

const nothing: UpstreamWords = {
  words: "",
  status: null,
  reason: null,
  code: null,
  param: null,
  isUpgrade: false,
  isRefresh: false,
  isBody: false,
};

/** Forms in which Codex reports a status. */
const forms = {
  status: /^unexpected status (\d{3})(?: ([^:]{0,60}))?(?:: |$)/,
  attempts: /^exceeded retry limit, last status: (\d{3})(?: ([^,]{0,60}))?/,
  refresh: /^Failed to refresh token: (\d{3})(?: (.{0,60}))?/,
  /** What Codex puts after the body, one part after the other. */
  tail: /, (url|cf-ray|request id|auth error|auth error code): (\S{1,500})$/,
} as const;

/** Codex writes this in the place of an empty body. */
const filler = /^unknown error\.?$/i;

/** Reads a text of Codex's or of the backend's, however it is packed. */
export function readUpstreamWords(text: string): UpstreamWords {
  const said = readAny(text.slice(0, maxReadChars).trim(), 0);
  // A colon at the end leads up to a message that was empty.
  const words = said.words.trimEnd().replace(/:$/, "");
  return { ...said, words: filler.test(words) ? "" : words };
}

function readAny(text: string, depth: number): UpstreamWords {
  if (/^[{[]/.test(text)) {
    const body = depth < maxNesting ? readBody(text, depth) : null;
    if (body !== null) return body;
    // A part of a body is not for people either.
    if (/"\s{0,9}:/.test(text.slice(0, 500))) return { ...nothing, isBody: true };
  }
  if (/^<(?:!doctype|html|\?xml|head|body|!--)/i.test(text)) {
    return { ...nothing, words: publicText(wordsOfPage(text)), isBody: true };
  }
  return (depth < maxNesting ? readStatus(text, depth) : null) ?? { ...nothing, words: publicText(text) };
}

function readStatus(text: string, depth: number): UpstreamWords | null {
  const attempts = forms.attempts.exec(text);
  if (attempts !== null) return { ...nothing, ...statusOf(attempts) };
  const refresh = forms.refresh.exec(text);
  if (refresh !== null) return { ...nothing, ...statusOf(refresh), isRefresh: true };
  const match = forms.status.exec(text);
  if (match === null) return null;
  let rest = text.slice(match[0].length);
  let isUpgrade = false;
  for (
    let tail = forms.tail.exec(rest.slice(-600));
    tail !== null;
    tail = forms.tail.exec(rest.slice(-600))
  ) {
    if (tail[1] === "url") isUpgrade = /^wss?:/i.test(tail[2] ?? "");
    rest = rest.slice(0, rest.length - tail[0].length);
  }
  const body = readAny(rest.trim(), depth + 1);
  return { ...body, ...statusOf(match), isUpgrade };
}

function statusOf(match: RegExpExecArray): Pick<UpstreamWords, "status" | "reason"> {
  const reason = match[2]?.trim() ?? "";
  return { status: Number(match[1]), reason: reason === "" || reason.startsWith("<") ? null : reason };
}

/** Null where it is no JSON. */
function readBody(text: string, depth: number): UpstreamWords | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return null;
  }
  const said = Array.isArray(body) ? { detail: body } : body;
  if (!isJsonObject(said)) return null;
  const inner = isJsonObject(said.error) ? said.error : isJsonObject(said.detail) ? said.detail : said;
  const words = firstWords(inner, depth) || (inner === said ? "" : firstWords(said, depth));
  const status = [said.status, said.status_code].find((value) => typeof value === "number" && value >= 400);
  const code = [inner.code, inner.type].find((value) => typeof value === "string" && value !== "error");
  return {
    ...nothing,
    words: words || (typeof code === "string" ? publicText(code) : ""),
    status: typeof status === "number" ? status : null,
    code: typeof code === "string" ? code : null,
    param: typeof inner.param === "string" ? inner.param : null,
    isBody: true,
  };
}

/** By the names that backends and gateways give them. */
function firstWords(body: JsonObject, depth: number): string {
  for (const name of ["message", "detail", "error", "msg", "error_description", "title", "errors"]) {
    const value = body[name];
    if (typeof value === "string" && value.trim() !== "") return readAny(value.trim(), depth + 1).words;
    if (Array.isArray(value)) {
      const words = value.slice(0, 8).flatMap((entry) => wordsOfEntry(entry, depth));
      if (words.length > 0) return words.join("; ");
    }
  }
  return "";
}

/** An entry of a list of faults; validators say where each is. */
function wordsOfEntry(entry: unknown, depth: number): readonly string[] {
  if (typeof entry === "string") return entry.trim() === "" ? [] : [readAny(entry.trim(), depth + 1).words];
  if (!isJsonObject(entry) || depth >= maxNesting) return [];
  const words = firstWords(entry, depth + 1);
  if (words === "") return [];
  const place = Array.isArray(entry.loc) ? entry.loc.filter(isPlaceName).join(".") : "";
  return [place === "" ? words : `${publicText(place)}: ${words}`];
}

function isPlaceName(part: unknown): part is string | number {
  return typeof part === "string" || typeof part === "number";
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " };

/** What a page shows, from its beginning. */
function wordsOfPage(page: string): string {
  const shown = page
    .slice(0, maxPageChars)
    .replace(/<(script|style|svg)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, " ")
    .replace(/<!--[\s\S]*?(?:-->|$)/g, " ")
    .replace(/<[^>]*(?:>|$)/g, " ")
    .replace(/&(?:#\d+|#x[\da-f]+|(\w+));/gi, (_, name: string | undefined) => entities[name ?? ""] ?? " ")
    .replace(/\s+/g, " ")
    .trim();
  return shown.length <= maxPageWordsChars ? shown : `${shown.slice(0, maxPageWordsChars)}…`;
}

/** Addresses, in whatever form errors spell them. Every repetition is bounded, so that no text makes them slow. */
const addresses = new RegExp(
  [
    /\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s"'<>)\]}]{1,2000}/,
    // IPv6 in brackets and bare, IPv4, this machine, a host with a port, a host by its last label.
    /\[[0-9a-f:.]{2,45}\](?::\d{1,5})?/,
    /(?<![\w:.])(?:(?:[0-9a-f]{1,4}:){5,7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5})?|::[0-9a-f]{1,4})(?!\w|:[\w:])/,
    /(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w-])/,
    /(?<![\w.-])localhost(?::\d{1,5})?(?![\w-])/,
    /(?<![\w.-])(?:[a-z0-9_-]{1,63}\.){1,8}[a-z0-9-]{1,63}:\d{2,5}(?!\d)/,
    /(?<![\w.@-])(?:[a-z0-9_-]{1,63}\.){1,8}(?:com|net|org|io|ai|dev|app|cloud|local|localdomain|lan|home|internal|corp|intranet|test|example|invalid)(?![\w-]|\.\w)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gi",
);

/** Pages for people, to which the backend's refusals lead: where more can be bought, how a setting is meant. */
const helpLink =
  /^https:\/\/(?:(?:platform|help|developers|status|learn)\.)?(?:openai|chatgpt)\.com(?:\/(?!backend-api|v\d|api\/)[\w/#?=&%.-]*)?$/i;

/**
 * What `publicText` replaces, in this order. Paths are those that errors spell: what follows a letter or another slash is part of an
 * address or of a word.
 */
const hidden: readonly (readonly [RegExp, (found: string) => string])[] = [
  // Control characters, of a compressed body that was taken for text for one; lines and tabs stay.
  [/[^\P{Cc}\t\n\r]+/gu, () => " "],
  [/\bfile:\/\/[^\s"'<>]*[^\s"'<>.,:;)]/gi, () => "[path]"],
  [/ for url \([^\s)]{1,2000}\)/g, () => ""],
  [/\bBearer [\w.~+/=-]{6,2000}/gi, () => "[token]"],
  [/\beyJ[\w-]{8,4000}(?:\.[\w-]{1,4000}){0,2}/g, () => "[token]"],
  [/\b(?:sk|rt|ak|sess|pk)[-_][\w-]{8,500}/g, () => "[token]"],
  [addresses, hideAddress],
  [/(?<![\w/])(?:\/[\w.@+-]+){2,}/g, () => "[path]"],
  [/(?:\b[A-Za-z]:|\\)\\[^\s"'<>|:]+/g, () => "[path]"],
];

/** What a caller may read: no file of this machine, no address of the backend, no token and no endless text. */
export function publicText(text: string): string {
  const start = text.slice(0, limits.maxErrorTextChars);
  const shown = hidden.reduce((left, [pattern, replacer]) => left.replace(pattern, replacer), start);
  return start === text ? shown : `${shown}…`;
}

function hideAddress(found: string): string {
  const end = /[.,;:!?]+$/.exec(found)?.[0] ?? "";
  const address = found.slice(0, found.length - end.length);
  return helpLink.test(address) ? found : `[address]${end}`;
}
