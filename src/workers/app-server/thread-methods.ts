/** Calls on threads and turns: what we send and what we read of the answers. */
import { z } from "zod";
import { jsonObject, nothingRead, orNull } from "./schema-parts.js";
import { turnError, turnStatus } from "./thread-notification-schemas.js";

const dynamicFunction = z.object({
  type: z.literal("function"),
  name: z.string(),
  description: z.string(),
  inputSchema: jsonObject,
});

const dynamicNamespace = z.object({
  type: z.literal("namespace"),
  name: z.string(),
  description: z.string(),
  tools: z.array(dynamicFunction).readonly(),
});

const turnSummary = z.object({ id: z.string(), status: turnStatus, error: orNull(turnError) });

export const threadMethods = {
  "thread/start": {
    params: z.object({
      model: z.string().exactOptional(),
      cwd: z.string().exactOptional(),
      ephemeral: z.boolean().exactOptional(),
      experimentalRawEvents: z.boolean().exactOptional(),
      approvalPolicy: z.literal("never").exactOptional(),
      sandbox: z.literal("read-only").exactOptional(),
      baseInstructions: z.string().exactOptional(),
      developerInstructions: z.string().exactOptional(),
      serviceTier: z.string().nullable().exactOptional(),
      /** Empty: no environment, so no command can run. */
      environments: z.array(jsonObject).readonly().exactOptional(),
      dynamicTools: z
        .array(z.union([dynamicFunction, dynamicNamespace]))
        .readonly()
        .exactOptional(),
      config: jsonObject.exactOptional(),
    }),
    result: z.object({ thread: z.object({ id: z.string() }), model: z.string() }),
  },
  "thread/inject_items": {
    params: z.object({ threadId: z.string(), items: z.array(jsonObject).readonly() }),
    result: nothingRead,
  },
  "thread/unsubscribe": {
    params: z.object({ threadId: z.string() }),
    /** `unsubscribed`, `notSubscribed` or `notLoaded`; older versions say less. */
    result: z.object({ status: orNull(z.string()) }),
  },
  "thread/read": {
    params: z.object({ threadId: z.string(), includeTurns: z.boolean().exactOptional() }),
    result: z.object({
      thread: z.object({
        id: z.string(),
        status: z.object({ type: z.string() }),
        turns: z.array(turnSummary).default([]),
      }),
    }),
  },
  "thread/loaded/list": {
    params: z.object({ cursor: z.string().exactOptional(), limit: z.int().exactOptional() }),
    result: z.object({ data: z.array(z.string()), nextCursor: orNull(z.string()) }),
  },
  "turn/start": {
    params: z.object({
      threadId: z.string(),
      /** Empty: the model runs on the injected history as it stands. */
      input: z.array(jsonObject).readonly(),
      model: z.string().exactOptional(),
      effort: z.string().nullable().exactOptional(),
      summary: z.enum(["auto", "concise", "detailed", "none"]).nullable().exactOptional(),
      serviceTier: z.string().nullable().exactOptional(),
      outputSchema: jsonObject.nullable().exactOptional(),
    }),
    result: z.object({ turn: z.object({ id: z.string(), status: turnStatus }) }),
  },
  "turn/interrupt": {
    params: z.object({ threadId: z.string(), turnId: z.string() }),
    result: nothingRead,
  },
} as const;
