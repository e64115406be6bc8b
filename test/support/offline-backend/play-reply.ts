import type { EventSink } from "./event-sink.js";
import type { Frame } from "./frame.js";
import type { StreamOutcome } from "./recorded-request.js";
import type { StreamReply } from "./reply.js";

/** Sends the frames in time, those without delay between them in one write. */
export async function playFrames(frames: Iterable<Frame>, sink: EventSink): Promise<void> {
  let batch: Frame[] = [];
  for (const frame of frames) {
    if (frame.delayMs > 0) {
      await flush(batch, sink);
      batch = [];
      await sink.sleep(frame.delayMs);
    }
    if (sink.isClosed) {
      return;
    }
    batch.push(frame);
    if (batch.length >= MAX_BATCH_FRAMES) {
      await flush(batch, sink);
      batch = [];
    }
  }
  await flush(batch, sink);
}

const MAX_BATCH_FRAMES = 256;

async function flush(batch: readonly Frame[], sink: EventSink): Promise<void> {
  if (batch.length > 0 && !sink.isClosed) {
    const slow = sink.write(batch);
    if (slow !== undefined) {
      await slow;
    }
  }
}

/** Plays a whole scripted response, with its ending, and says how it went. */
export async function playReply(
  reply: StreamReply,
  frames: Iterable<Frame>,
  sink: EventSink,
): Promise<StreamOutcome> {
  const { ending, gate } = reply;
  if (gate !== undefined) await sink.settled(gate);
  await playFrames(frames, sink);
  if (ending.kind === "stall") {
    await sink.untilClosed();
  }
  if (sink.isClosed) {
    return "client-closed";
  }
  if (ending.kind === "cut") {
    sink.cut();
    return "cut";
  }
  if (ending.kind === "stall") return "client-closed";
  return ending.kind === "error" || ending.kind === "event" ? "failed" : ending.kind;
}
