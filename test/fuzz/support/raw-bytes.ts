/** What a socket can carry: requests with broken framing, odd heads, and plain noise. */
import fc from "fast-check";
import { anyText } from "./json-values.js";
import { anyRequest, type FuzzRequest } from "./requests.js";

export const closingRequest = Buffer.from(
  "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
);

const oddHeaders = fc.array(
  fc.oneof(
    fc.constantFrom(
      "transfer-encoding: chunked",
      "transfer-encoding: gzip, chunked",
      "content-length: 5",
      "content-length: -1",
      "content-length: 99999999999999999999",
      "connection: upgrade\r\nupgrade: websocket",
      "expect: 100-continue",
      "expect: the-impossible",
      "host: second.example",
      " folded: line",
      "no colon",
      ": no name",
      "x-null: a\u0000b",
      "trailer: x",
    ),
    anyText.map((text) => `x-odd: ${text}`),
    anyText.map((text) => `${text}: x`),
  ),
  { maxLength: 3 },
);

const frame = fc.record({
  request: anyRequest,
  method: fc.constantFrom(null, null, null, null, "TRACE", "CONNECT", "PRI", "get", "", "G\u0000T"),
  target: fc.constantFrom(
    null,
    null,
    null,
    null,
    null,
    "*",
    "http://evil.example/v1/models",
    "//",
    "",
    "\u00ff",
  ),
  version: fc.constantFrom("1.1", "1.1", "1.1", "1.1", "1.0", "0.9", "2.0", "9", ""),
  lineEnd: fc.constantFrom("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r"),
  odd: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: oddHeaders }),
  framing: fc.constantFrom("length", "length", "length", "chunked", "short", "long", "none"),
});

interface Frame {
  readonly request: FuzzRequest;
  readonly method: string | null;
  readonly target: string | null;
  readonly version: string;
  readonly lineEnd: string;
  readonly odd: readonly string[];
  readonly framing: string;
}

function render({ request, method, target, version, lineEnd, odd, framing }: Frame): Buffer {
  const body = Buffer.from(request.body ?? "");
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  const lengths: Readonly<Record<string, string>> = {
    length: `content-length: ${body.length}`,
    short: `content-length: ${Math.floor(body.length / 2)}`,
    long: `content-length: ${body.length + 10}`,
    chunked: "transfer-encoding: chunked",
  };
  const length = lengths[framing];
  const lines = [
    `${method ?? request.method} ${target ?? request.path} HTTP/${version}`,
    ...headers,
    ...odd,
    ...(length === undefined ? [] : [length]),
    "",
    "",
  ];
  const head = Buffer.from(lines.join(lineEnd), "latin1");
  if (framing !== "chunked") return Buffer.concat([head, body]);
  const size = Buffer.from(`${body.length.toString(16)}\r\n`);
  return Buffer.concat([head, size, body, Buffer.from("\r\n0\r\n\r\n")]);
}

/** One to three requests or bits of noise in a row, cut where no sender would. */
export const anyExchange: fc.Arbitrary<readonly Buffer[]> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 8, arbitrary: frame.map(render) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    fc.array(fc.nat(2000), { maxLength: 2 }),
  )
  .map(([parts, cuts]) => cutAt(Buffer.concat(parts), cuts));

export function cutAt(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set([0, ...cuts.filter((at) => at < bytes.length), bytes.length])].sort(
    (a, b) => a - b,
  );
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}
