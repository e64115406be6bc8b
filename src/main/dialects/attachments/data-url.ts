/** Data URLs, the one way in which a request brings images and files along. */

export interface DataUrl {
  /** In lower case, without parameters: `image/png`. */
  readonly mediaType: string;
  /** Lower-case `charset` parameter; null where none is named. */
  readonly charset: string | null;
  readonly isBase64: boolean;
  readonly data: string;
}

/** Long enough for any media type with its parameters; what has no comma by then is no data URL. */
const maxHeadChars = 512;

export function parseDataUrl(url: string): DataUrl | null {
  const head = url.slice(0, maxHeadChars);
  const comma = head.indexOf(",");
  if (comma < 0 || !/^data:/i.test(head)) return null;
  const [mediaType = "", ...parameters] = head
    .slice("data:".length, comma)
    .split(";")
    .map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  return {
    mediaType,
    charset: charset === undefined ? null : charset.slice("charset=".length).replaceAll('"', ""),
    isBase64: parameters.at(-1) === "base64",
    data: url.slice(comma + 1),
  };
}

/** Padded and of the plain alphabet. Codex takes no other, where Node's decoder would skip what it does not know. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
