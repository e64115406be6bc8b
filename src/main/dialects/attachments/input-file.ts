/**
 * Files of text, which become text: Codex takes no files. The model sees the name and the content,
 *
 *     <file name="notes.md">
 *     the content
 *     </file>
 */
import { isGiven, requestLimits } from "../requests/fields.js";
import type { FieldFault } from "../requests/schema-fault.js";
import { isBase64, parseDataUrl } from "./data-url.js";

export interface InputFile {
  readonly file_data?: string | null | undefined;
  readonly file_id?: string | null | undefined;
  readonly file_url?: string | null | undefined;
  readonly filename?: string | null | undefined;
}

export interface FileFault extends FieldFault {
  /** The one at fault. */
  readonly field: keyof InputFile;
}

/** Media types of text beside `text/*` and those that end in `+json`, `+xml` or `+yaml`. */
const textTypes: ReadonlySet<string> = new Set([
  "application/ecmascript",
  "application/graphql",
  "application/javascript",
  "application/json",
  "application/json5",
  "application/jsonl",
  "application/ld+json",
  "application/ndjson",
  "application/sql",
  "application/toml",
  "application/typescript",
  "application/x-javascript",
  "application/x-ndjson",
  "application/x-python",
  "application/x-sh",
  "application/x-yaml",
  "application/xml",
  "application/yaml",
]);

const utf8Charsets: ReadonlySet<string> = new Set(["utf-8", "utf8", "us-ascii"]);

const onlyText = "only files of text can be sent, as a data URL of a text type";

export function inlineFile(file: InputFile): string | FileFault {
  if (isGiven(file.file_id)) {
    return unsupported("file_id", `is not supported: this server stores no files, ${onlyText}`);
  }
  if (isGiven(file.file_url)) {
    return unsupported("file_url", `is not supported: Codex fetches no files, ${onlyText}`);
  }
  if (!isGiven(file.file_data)) return fault("file_data", "is missing");
  const name = file.filename ?? "file";
  if (name.length > requestLimits.maxFileNameChars) {
    return fault("filename", `is longer than ${requestLimits.maxFileNameChars} characters`);
  }
  const url = parseDataUrl(file.file_data);
  if (url === null) return fault("file_data", "must be a data URL, such as data:text/plain;base64,…");
  if (!isTextType(url.mediaType)) {
    return unsupported("file_data", `holds '${url.mediaType.slice(0, 64)}': ${onlyText}`);
  }
  if (url.charset !== null && !utf8Charsets.has(url.charset)) {
    return unsupported("file_data", `is in '${url.charset.slice(0, 64)}': only UTF-8 is read`);
  }
  const content = url.isBase64 ? decodeBase64(url.data) : decodePercent(url.data);
  if (content === null) return fault("file_data", "holds no valid UTF-8 text");
  if (content.length > requestLimits.maxTextChars) {
    return fault("file_data", `holds more than ${requestLimits.maxTextChars} characters`);
  }
  return `<file name="${escapeName(name)}">\n${content}\n</file>`;
}

function isTextType(mediaType: string): boolean {
  return mediaType.startsWith("text/") || textTypes.has(mediaType) || /\+(json|xml|yaml)$/.test(mediaType);
}

function decodeBase64(data: string): string | null {
  if (!isBase64(data)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(data, "base64"));
  } catch {
    // The bytes are no UTF-8, which the caller of this reports.
    return null;
  }
}

function decodePercent(data: string): string | null {
  try {
    return decodeURIComponent(data);
  } catch {
    // A stray percent sign, or bytes that are no UTF-8.
    return null;
  }
}

/** A name cannot end the tag it stands in. */
function escapeName(name: string): string {
  return name.replace(/[&<>"\p{Cc}]/gu, (char) => `&#${char.codePointAt(0)};`);
}

function unsupported(field: keyof InputFile, message: string): FileFault {
  return { field, message, unsupported: true };
}

function fault(field: keyof InputFile, message: string): FileFault {
  return { field, message, unsupported: false };
}
