/** The picture of the README is written by code of this repository: an animated PNG that shows each frame as it was filmed. */
import { crc32, deflateSync, inflateSync } from "node:zlib";
import t from "tap";
import { encodeApng, type Frame } from "../../support/picture/apng.js";
import { decodePng } from "../../support/picture/png-pixels.js";

const [white, red, blue] = [0xffffff, 0xd03020, 0x2050d0];

function frameOf(rows: readonly (readonly number[])[], durationMs: number): Frame {
  const [first = []] = rows;
  const pixels = Uint8Array.from(
    rows.flat().flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]),
  );
  return { width: first.length, height: rows.length, pixels, durationMs };
}

const frames = [
  frameOf(
    [
      [white, white, white],
      [white, red, white],
    ],
    400,
  ),
  frameOf(
    [
      [white, white, white],
      [white, red, white],
    ],
    100,
  ),
  frameOf(
    [
      [white, blue, white],
      [white, blue, white],
    ],
    250,
  ),
];

interface Chunk {
  readonly type: string;
  readonly body: Buffer;
}

function readChunks(png: Buffer): readonly Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at < png.length; ) {
    const end = at + 8 + png.readUInt32BE(at);
    if (crc32(png.subarray(at + 4, end)) !== png.readUInt32BE(end)) throw new Error("a chunk is damaged");
    chunks.push({ type: png.toString("latin1", at + 4, at + 8), body: png.subarray(at + 8, end) });
    at = end + 4;
  }
  return chunks;
}

/** Lays the frames over each other as a browser does. Returns the pixels after each, and its time. */
function play(png: Buffer) {
  const chunks = readChunks(png);
  const bodyOf = (type: string) => chunks.find((chunk) => chunk.type === type)?.body ?? Buffer.alloc(0);
  const [palette, alphas, header] = [bodyOf("PLTE"), bodyOf("tRNS"), bodyOf("IHDR")];
  const width = header.readUInt32BE(0);
  const canvas = new Uint8Array(width * header.readUInt32BE(4) * 3);
  const shown: { readonly pixels: Uint8Array; readonly durationMs: number }[] = [];
  let control = Buffer.alloc(0);
  for (const { type, body } of chunks) {
    if (type === "fcTL") control = Buffer.from(body);
    if (type !== "IDAT" && type !== "fdAT") continue;
    const [partWidth = 0, partHeight = 0, x = 0, y = 0] = [4, 8, 12, 16].map((at) =>
      control.readUInt32BE(at),
    );
    const rows = inflateSync(type === "IDAT" ? body : body.subarray(4));
    for (let at = 0; at < partWidth * partHeight; at++) {
      const row = Math.floor(at / partWidth);
      const index = rows[row * (partWidth + 1) + 1 + (at % partWidth)] ?? 0;
      if (alphas[index] === 0) continue;
      canvas.set(palette.subarray(index * 3, index * 3 + 3), ((y + row) * width + x + (at % partWidth)) * 3);
    }
    shown.push({ pixels: Uint8Array.from(canvas), durationMs: control.readUInt16BE(20) });
  }
  return { shown, announced: bodyOf("acTL").readUInt32BE(0), loops: bodyOf("acTL").readUInt32BE(4) };
}

t.test("every frame is shown as it was filmed, a repeated one for longer", async (t) => {
  const { shown, announced, loops } = play(encodeApng(frames));
  t.equal(announced, 2);
  t.equal(loops, 0, "for ever");
  t.strictSame(
    shown.map(({ durationMs }) => durationMs),
    [500, 250],
  );
  t.strictSame(shown[0]?.pixels, frames[0]?.pixels);
  t.strictSame(shown[1]?.pixels, frames[2]?.pixels);
});

t.test("more colours than a palette has are brought near ones", async (t) => {
  const rows = Array.from({ length: 32 }, (_, y) =>
    Array.from({ length: 32 }, (_, x) => (x << 19) | (y << 11)),
  );
  const frame = frameOf(rows, 100);
  const [only] = play(encodeApng([frame])).shown;
  const distances = frame.pixels.map((value, at) => Math.abs(value - (only?.pixels[at] ?? 0)));
  t.ok(Math.max(...distances) <= 24, `${Math.max(...distances)}`);
});

t.test("screenshots are read whatever filters their rows have", async (t) => {
  const pixels = [10, 20, 30, 40, 50, 60, 70, 80, 90, 15, 25, 35];
  for (const channels of [3, 4]) {
    const withAlpha = pixels.flatMap((value, at) =>
      at % 3 === 2 && channels === 4 ? [value, 255] : [value],
    );
    for (const filter of [0, 1, 2, 3, 4]) {
      const png = encodeScreenshot(withAlpha, { width: 2, height: 2, channels, filter });
      t.strictSame([...decodePng(png).pixels], pixels, `filter ${filter}, ${channels} channels`);
    }
  }
  t.throws(() => decodePng(encodeApng(frames)), /not a PNG as a screenshot/);
});

interface Form {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly filter: number;
}

function encodeScreenshot(values: readonly number[], { width, height, channels, filter }: Form): Buffer {
  const rowBytes = width * channels;
  const rows = Array.from({ length: height }, (_, row) => [
    filter,
    ...values.slice(row * rowBytes, (row + 1) * rowBytes).map((value, column) => {
      const at = row * rowBytes + column;
      const left = column < channels ? 0 : (values[at - channels] ?? 0);
      const above = row === 0 ? 0 : (values[at - rowBytes] ?? 0);
      const corner = row === 0 || column < channels ? 0 : (values[at - rowBytes - channels] ?? 0);
      return (value - guess(filter, left, above, corner)) & 255;
    }),
  ]).flat();
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, channels === 4 ? 6 : 2, 0, 0, 0], 8);
  const parts: readonly (readonly [string, Buffer])[] = [
    ["IHDR", header],
    ["IDAT", deflateSync(Buffer.from(rows))],
  ];
  const chunks = parts.map(([type, body]) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, Buffer.from(type), body, Buffer.alloc(4)]);
  });
  return Buffer.concat([Buffer.alloc(8), ...chunks]);
}

/** The filters as the standard has them. */
function guess(filter: number, left: number, above: number, corner: number): number {
  if (filter === 4) {
    const estimate = left + above - corner;
    const near = [left, above, corner].map((value) => Math.abs(estimate - value));
    return [left, above, corner][near.indexOf(Math.min(...near))] ?? 0;
  }
  return [0, left, above, Math.floor((left + above) / 2)][filter] ?? 0;
}
