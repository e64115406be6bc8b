/** Reads the pixels of a PNG as browsers write their screenshots: eight bits a channel, not interlaced. */
import { inflateSync } from "node:zlib";

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, row by row. */
  readonly pixels: Uint8Array;
}

const signatureBytes = 8;

export function decodePng(png: Buffer): Picture {
  const data: Buffer[] = [];
  let header: Buffer | null = null;
  for (let at = signatureBytes; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") header = body;
    if (type === "IDAT") data.push(body);
    at += length + 12;
  }
  const [bits, colourType, , , interlace] = header?.subarray(8) ?? [];
  if (header === null || bits !== 8 || (colourType !== 2 && colourType !== 6) || interlace !== 0)
    throw new Error("not a PNG as a screenshot is one");
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = colourType === 6 ? 4 : 3;
  const rows = undoFilters(inflateSync(Buffer.concat(data)), {
    height,
    rowBytes: width * channels,
    channels,
  });
  const pixels = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++)
      pixels[pixel * 3 + channel] = rows[pixel * channels + channel] ?? 0;
  }
  return { width, height, pixels };
}

interface Rows {
  readonly height: number;
  readonly rowBytes: number;
  /** Bytes between a byte and its like in the pixel to the left. */
  readonly channels: number;
}

/** Each row begins with the number of its filter, by which its bytes are differences to those left, above and above left. */
function undoFilters(filtered: Buffer, { height, rowBytes, channels }: Rows): Uint8Array {
  const plain = new Uint8Array(height * rowBytes);
  for (let row = 0; row < height; row++) {
    const from = row * (rowBytes + 1);
    const filter = filtered[from] ?? 0;
    for (let column = 0; column < rowBytes; column++) {
      const at = row * rowBytes + column;
      const left = column < channels ? 0 : (plain[at - channels] ?? 0);
      const above = row === 0 ? 0 : (plain[at - rowBytes] ?? 0);
      const corner = row === 0 || column < channels ? 0 : (plain[at - rowBytes - channels] ?? 0);
      plain[at] = (filtered[from + 1 + column] ?? 0) + predict(filter, left, above, corner);
    }
  }
  return plain;
}

function predict(filter: number, left: number, above: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4:
      return predictByPaeth(left, above, corner);
    default:
      return 0;
  }
}

function predictByPaeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [left, above, corner].map((value) => Math.abs(guess - value));
  if (toLeft === undefined || toAbove === undefined || toCorner === undefined) return 0;
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
