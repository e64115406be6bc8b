/** Images that Codex can read. It puts a text in the place of any other, without a word to the caller. */
import type { FieldFault } from "../requests/schema-fault.js";
import { isBase64, parseDataUrl } from "./data-url.js";

const noDataUrl = "must be a data URL: Codex does not fetch remote images, so send the image inline";

/** How files of these formats begin, `.` for any byte. The media type that the URL names does not matter to Codex. */
const signatures = ["\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF87a", "GIF89a", "RIFF....WEBP"] as const;

/** Base64 of the longest signature. */
const signatureChars = 16;

/** Null for a URL that Codex takes. */
export function findImageFault(url: string): FieldFault | null {
  const parsed = parseDataUrl(url);
  if (parsed === null) return { message: noDataUrl, unsupported: true };
  if (!parsed.isBase64 || !isBase64(parsed.data)) {
    return { message: "holds no valid base64", unsupported: false };
  }
  if (!hasKnownSignature(parsed.data)) {
    return { message: "is not a PNG, JPEG, GIF or WebP image", unsupported: true };
  }
  return null;
}

function hasKnownSignature(data: string): boolean {
  const start = Buffer.from(data.slice(0, signatureChars), "base64").toString("latin1");
  return signatures.some((signature) =>
    Array.from(signature).every((char, at) => (char === "." ? at < start.length : start[at] === char)),
  );
}
