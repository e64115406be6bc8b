/** Writes an animated PNG: one palette for all frames, and of each frame only what differs from the one before. */
import { crc32, deflateSync } from "node:zlib";
import { chooseColours } from "./palette.js";
import type { Picture } from "./png-pixels.js";

export interface Frame extends Picture {
  /** How long it is shown. */
  readonly durationMs: number;
}

/** One pixel of a frame that shows what was there before. */
const transparent = 255;

interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Numbers of colours, row by row. */
  readonly indices: Uint8Array;
  durationMs: number;
}

/** All frames must be of one size. It begins again after the last one. */
export function encodeApng(frames: readonly Frame[]): Buffer {
  const [first] = frames;
  if (first === undefined) throw new Error("no frames");
  const { colours, indexOf } = chooseColours(frames, transparent);
  const parts: Part[] = [];
  let shown: Uint8Array | null = null;
  for (const frame of frames) {
    const indices = indexPixels(frame, indexOf);
    const part: Part | null =
      shown === null
        ? { x: 0, y: 0, width: frame.width, height: frame.height, indices, durationMs: frame.durationMs }
        : cutChanged(shown, indices, frame);
    const last = parts.at(-1);
    if (part !== null) parts.push(part);
    else if (last !== undefined) last.durationMs += frame.durationMs;
    shown = indices;
  }
  return assemble(first, colours, parts);
}

function indexPixels({ pixels }: Picture, indexOf: (colour: number) => number): Uint8Array {
  const indices = new Uint8Array(pixels.length / 3);
  for (let pixel = 0; pixel < indices.length; pixel++) indices[pixel] = indexOf(colourAt(pixels, pixel));
  return indices;
}

export function colourAt(pixels: Uint8Array, pixel: number): number {
  const at = pixel * 3;
  return ((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0);
}

/** The smallest rectangle with all that changed; null for no change. */
function cutChanged(before: Uint8Array, now: Uint8Array, { width, height, durationMs }: Frame): Part | null {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let at = 0; at < now.length; at++) {
    if (before[at] === now[at]) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  if (right < 0) return null;
  const part = { x: left, y: top, width: right - left + 1, height: bottom - top + 1, durationMs };
  const indices = new Uint8Array(part.width * part.height);
  for (let at = 0; at < indices.length; at++) {
    const source = (top + Math.floor(at / part.width)) * width + left + (at % part.width);
    indices[at] = before[source] === now[source] ? transparent : (now[source] ?? 0);
  }
  return { ...part, indices };
}

function assemble({ width, height }: Picture, colours: readonly number[], parts: readonly Part[]): Buffer {
  const palette = Buffer.alloc((transparent + 1) * 3);
  for (const [index, colour] of colours.entries()) palette.writeUIntBE(colour, index * 3, 3);
  const alphas = Buffer.alloc(transparent + 1, 255);
  alphas[transparent] = 0;
  // Eight bits a pixel, by palette.
  const header = Buffer.concat([ofUInt32(width, height), Buffer.from([8, 3, 0, 0, 0])]);
  const chunks = [
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("tRNS", alphas),
    chunk("acTL", ofUInt32(parts.length, 0)),
  ];
  let sequence = 0;
  for (const [index, part] of parts.entries()) {
    chunks.push(chunk("fcTL", describeFrame(part, sequence++, index === 0)));
    const data = compress(part);
    chunks.push(
      index === 0 ? chunk("IDAT", data) : chunk("fdAT", Buffer.concat([ofUInt32(sequence++), data])),
    );
  }
  const signature = Buffer.from("\u0089PNG\r\n\u001a\n", "latin1");
  return Buffer.concat([signature, ...chunks, chunk("IEND", Buffer.alloc(0))]);
}

function describeFrame(part: Part, sequence: number, isFirst: boolean): Buffer {
  const rest = Buffer.alloc(6);
  rest.writeUInt16BE(Math.min(part.durationMs, 65_535), 0);
  rest.writeUInt16BE(1_000, 2);
  // The frame stays, and the next is laid over it.
  rest[5] = isFirst ? 0 : 1;
  return Buffer.concat([ofUInt32(sequence, part.width, part.height, part.x, part.y), rest]);
}

function compress({ width, height, indices }: Part): Buffer {
  const rows = Buffer.alloc(height * (width + 1));
  for (let row = 0; row < height; row++)
    rows.set(indices.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  return deflateSync(rows, { level: 9, memLevel: 9 });
}

function chunk(type: string, body: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type, "latin1"), body]);
  return Buffer.concat([ofUInt32(body.length), content, ofUInt32(crc32(content))]);
}

function ofUInt32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}
