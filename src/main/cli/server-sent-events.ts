import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";

/** The JSON objects of a stream of server-sent events. An event larger than `maxEventChars` is an error. */
export async function* readServerSentEvents(
  body: AsyncIterable<Uint8Array>,
  maxEventChars: number,
): AsyncGenerator<JsonObject> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const chunk of body) {
    pending += decoder.decode(chunk, { stream: true });
    const frames = pending.split("\n\n");
    pending = frames.pop() ?? "";
    if (pending.length > maxEventChars) throw new Error("an event of the stream is too large");
    for (const frame of frames) {
      const event = readFrame(frame);
      if (event !== null) yield event;
    }
  }
}

/** Comments and `[DONE]` hold no object. */
function readFrame(frame: string): JsonObject | null {
  const lines = frame.split("\n").filter((line) => line.startsWith("data:"));
  const data = lines.map((line) => line.slice("data:".length).trimStart()).join("\n");
  if (!data.startsWith("{")) return null;
  const value: unknown = JSON.parse(data);
  return isJsonObject(value) ? value : null;
}
