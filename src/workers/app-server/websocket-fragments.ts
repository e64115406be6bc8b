const opcodeText = 1;
const opcodeContinuation = 0;
const finalFlag = 0x80;
const maskedFlag = 0x80;
const length64 = 127;

/**
 * A text message cut into client frames, as chunks to write in order. undici sends each message as one frame, and the
 * app-server drops the whole connection, with every turn on it, at a frame over 16 MiB.
 *
 * The mask is zero, which leaves the payload as it is: masks protect proxies on the open web from hostile scripts, and
 * here is neither.
 */
export function* encodeTextFragments(
  parts: readonly Uint8Array[],
  maxFrameBytes: number,
): Generator<Uint8Array> {
  const totalBytes = parts.reduce((sum, part) => sum + part.length, 0);
  let sentBytes = 0;
  let leftInFrame = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length; ) {
      if (leftInFrame === 0) {
        leftInFrame = Math.min(maxFrameBytes, totalBytes - sentBytes);
        yield encodeHeader(leftInFrame, sentBytes === 0, sentBytes + leftInFrame === totalBytes);
      }
      const piece = part.subarray(from, from + leftInFrame);
      yield piece;
      from += piece.length;
      sentBytes += piece.length;
      leftInFrame -= piece.length;
    }
  }
}

/** Two bytes, eight of length, four of mask; the long form of the length is right for any size that gets here. */
function encodeHeader(bytes: number, isFirst: boolean, isLast: boolean): Buffer {
  const header = Buffer.alloc(14);
  header[0] = (isLast ? finalFlag : 0) | (isFirst ? opcodeText : opcodeContinuation);
  header[1] = maskedFlag | length64;
  header.writeBigUInt64BE(BigInt(bytes), 2);
  return header;
}
