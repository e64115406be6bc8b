/** Heads put together from parts that agree or do not, and senders that give up their bodies at any point. */
import fc from "fast-check";
import { fuzzToken } from "./requests.js";

/** A request as bytes, and whether it has one meaning, which is right. */
export interface FramedRequest {
  readonly text: string;
  readonly isPlain: boolean;
}

const body = '{"input":"hi"}';
const length = `content-length: ${body.length}`;
const chunks = `e\r\n${body}\r\n0\r\n\r\n`;

/** What each choice adds, and whether it leaves the request plain. */
interface Part {
  readonly lines: readonly string[];
  readonly isPlain: boolean;
}

/** Mostly a right one, so that whole requests are right now and then. */
function parts(
  name: string,
  right: string,
  wrong: readonly string[],
  mayBeNone: boolean,
): fc.Arbitrary<Part> {
  const line = (value: string) => `${name}: ${value}`;
  const one = (value: string, isPlain: boolean): Part => ({ lines: [line(value)], isPlain });
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(one(right, true)) },
    { weight: 1, arbitrary: fc.constant({ lines: [], isPlain: mayBeNone }) },
    { weight: 1, arbitrary: fc.constantFrom(...wrong).map((value) => one(value, false)) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(right, ...wrong)
        .map((second) => ({ lines: [line(right), line(second)], isPlain: false })),
    },
  );
}

interface Framing {
  readonly lines: readonly string[];
  readonly sent: string;
  readonly isPlain: boolean;
}

const framing: fc.Arbitrary<Framing> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ lines: [length], sent: body, isPlain: true }) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom("chunked", "Chunked", "CHUNKED")
      .map((coding) => ({ lines: [`transfer-encoding: ${coding}`], sent: chunks, isPlain: true })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.array(
          fc.constantFrom(
            length,
            "content-length: 15",
            "content-length: 0x0e",
            "content-length: 14, 14",
            "transfer-encoding: chunked",
            "transfer-encoding: gzip, chunked",
            "transfer-encoding: chunked, gzip",
            "transfer-encoding: gzip",
            "transfer-encoding: identity",
            "transfer-encoding: xchunked",
            "transfer-encoding:\r\n chunked",
          ),
          { minLength: 2, maxLength: 3 },
        ),
        fc.constantFrom(body, chunks),
      )
      .map(([lines, sent]) => ({ lines, sent, isPlain: false })),
  },
);

const target = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ text: "/v1/responses", isPlain: true }) },
  { weight: 1, arbitrary: fc.constant({ text: "http://localhost/v1/responses", isPlain: true }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        "http://evil.example/v1/responses",
        "http://localhost@evil.example/v1/responses",
        "http://localhost:81/v1/responses",
        "https://localhost/v1/responses",
        "//evil.example/v1/responses",
        "/v1/responses?a=%zz",
        "/v1/%ff",
        "*",
      )
      .map((text) => ({ text, isPlain: false })),
  },
);

/** Requests whose parts may contradict each other, in any order and spelling of their headers. */
export const anyFramedRequest: fc.Arbitrary<FramedRequest> = fc
  .record({
    target,
    version: fc.oneof(
      { weight: 12, arbitrary: fc.constant("1.1") },
      { weight: 1, arbitrary: fc.constantFrom("0.9", "1.2", "2.0") },
    ),
    host: parts(
      "host",
      "localhost",
      ["evil.example", "localhost, evil.example", "", "localhost@evil"],
      false,
    ),
    token: parts("authorization", `Bearer ${fuzzToken}`, ["Bearer other", "Basic x"], false),
    type: parts(
      "content-type",
      "application/json",
      ["text/plain", "application/json; charset=utf-16", "application/json; charset=latin1"],
      false,
    ),
    origin: fc.oneof(
      { weight: 12, arbitrary: fc.constant<Part>({ lines: [], isPlain: true }) },
      {
        weight: 1,
        arbitrary: fc
          .subarray(["origin: null", "origin: https://evil.example", "origin: app://x"], { minLength: 1 })
          .map((lines): Part => ({ lines, isPlain: false })),
      },
    ),
    framing,
    order: fc.array(fc.nat(100), { minLength: 8, maxLength: 8 }),
    isLoud: fc.boolean(),
  })
  .map(({ target, version, host, token, type, origin, framing, order, isLoud }) => {
    const all = [host, token, type, origin, framing];
    const lines = all
      .flatMap((part) => part.lines)
      .map((line, index) => ({ line: isLoud ? shout(line) : line, at: order[index % order.length] ?? 0 }))
      .sort((a, b) => a.at - b.at)
      .map(({ line }) => `${line}\r\n`);
    return {
      text: `POST ${target.text} HTTP/${version}\r\nconnection: close\r\n${lines.join("")}\r\n${framing.sent}`,
      isPlain: version === "1.1" && target.isPlain && all.every(({ isPlain }) => isPlain),
    };
  });

function shout(line: string): string {
  return line.replace(/^[^:]+/, (name) => name.toUpperCase());
}

/** How a caller sends one body, and how it stops. */
export interface SendingPlan {
  readonly path: "/v1/responses" | "/v1/nowhere";
  readonly token: string;
  readonly bytes: number;
  readonly isChunked: boolean;
  readonly isAsked: boolean;
  /** Of the body; 1: all of it. */
  readonly share: number;
  readonly pieces: number;
  readonly ending: "waits" | "drips" | "half-closes" | "resets";
}

export const anySendingPlan: fc.Arbitrary<SendingPlan> = fc.record({
  path: fc.constantFrom("/v1/responses", "/v1/responses", "/v1/responses", "/v1/nowhere"),
  token: fc.constantFrom(fuzzToken, fuzzToken, fuzzToken, "another"),
  bytes: fc.constantFrom(20, 1000, 64 * 1024, 65 * 1024, 255 * 1024, 257 * 1024, 1024 * 1024),
  isChunked: fc.boolean(),
  isAsked: fc.constantFrom(false, false, false, true),
  share: fc.oneof(
    fc.constantFrom(0, 1, 1),
    fc.nat(100).map((hundredths) => hundredths / 100),
  ),
  pieces: fc.constantFrom(1, 1, 2, 7),
  ending: fc.constantFrom("waits", "waits", "drips", "half-closes", "resets"),
});
