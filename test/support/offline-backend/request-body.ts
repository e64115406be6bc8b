import type { IncomingMessage } from "node:http";
import * as zlib from "node:zlib";

/**
 * The whole body, decompressed: Codex sends its ChatGPT requests zstd-compressed when they go by POST.
 * Fails when the client leaves in the middle.
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    if (Buffer.isBuffer(chunk)) {
      chunks.push(chunk);
    }
  }
  const [only] = chunks;
  const bytes = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
  return request.headers["content-encoding"] === "zstd" ? await decompressZstd(bytes) : bytes;
}

type Decompress = (bytes: Buffer) => unknown;

async function decompressZstd(bytes: Buffer): Promise<Buffer> {
  const decompress = await findZstd();
  const plain = decompress(bytes);
  if (!(plain instanceof Uint8Array)) {
    throw new Error("The zstd decompressor gave no bytes.");
  }
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
}

/** Node's own from 22.15 on; before that the package `fzstd`, where it is installed. */
async function findZstd(): Promise<Decompress> {
  const native: unknown = Reflect.get(zlib, "zstdDecompressSync");
  if (isDecompress(native)) {
    return native;
  }
  const packageName: string = "fzstd";
  const fallback: unknown = await import(packageName);
  const decompress: unknown =
    typeof fallback === "object" && fallback !== null ? Reflect.get(fallback, "decompress") : undefined;
  if (isDecompress(decompress)) {
    return decompress;
  }
  throw new Error("A zstd body needs Node 22.15 or the package fzstd.");
}

function isDecompress(value: unknown): value is Decompress {
  return typeof value === "function";
}
