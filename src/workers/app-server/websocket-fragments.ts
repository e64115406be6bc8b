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
export function* encodeTextFragments(payload: Buffer, maxFrameBytes: number): Generator<Buffer> {
  for (let from = 0; from < payload.length; from += maxFrameBytes) {
    const part = payload.subarray(from, from + maxFrameBytes);
    const isLast = from + part.length === payload.length;
    // Two bytes, eight of length, four of mask; the long form of the length is right for any size that gets here.
    const header = Buffer.alloc(14);
    header[0] = (isLast ? finalFlag : 0) | (from === 0 ? opcodeText : opcodeContinuation);
    header[1] = maskedFlag | length64;
    header.writeBigUInt64BE(BigInt(part.length), 2);
    yield header;
    yield part;
  }
}
