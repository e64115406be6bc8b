/** Calls on threads and turns, and the notifications of one thread: what we send and what we read. */
import { z } from "zod";
import { jsonObject, nothingRead, orNull } from "./schema-parts.js";

/** A status we do not know is `unknown`, never dropped: the turn that waits for it must end. */
const turnStatus = z.union([
  z.enum(["completed", "interrupted", "failed", "inProgress"]),
  z.string().transform(() => "unknown" as const),
]);

const turnError = z.object({
  message: z.string(),
  /** A word, or an object of one key (the word) that holds `{httpStatusCode}`. */
  codexErrorInfo: orNull(z.union([z.string(), jsonObject])),
  additionalDetails: orNull(z.string()),
});

const threadItem = z.looseObject({ type: z.string(), id: z.string() });

const tokenUsage = z.object({
  totalTokens: z.int(),
  inputTokens: z.int(),
  cachedInputTokens: z.int(),
  // Missing before Codex 0.150.
  cacheWriteInputTokens: z.int().default(0),
  outputTokens: z.int(),
  reasoningOutputTokens: z.int(),
});

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

/** Before Codex 0.150, which takes no lists: a function of a namespace. */
const namespacedFunction = dynamicFunction.extend({ namespace: z.string() });

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
        .array(z.union([namespacedFunction, dynamicFunction, dynamicNamespace]))
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

const turnScope = { threadId: z.string(), turnId: z.string() };
const itemScope = { ...turnScope, itemId: z.string() };

export const threadNotificationSchemas = {
  "turn/started": z.object({ threadId: z.string(), turn: z.object({ id: z.string() }) }),
  "turn/completed": z.object({
    threadId: z.string(),
    turn: z.object({
      id: z.string(),
      status: turnStatus,
      error: orNull(turnError),
      /** The messages of the turn, for those whose own notifications were lost. */
      items: z.array(threadItem).default([]),
    }),
  }),
  /** A model call failed. With `willRetry` the turn continues; without it, `turn/completed` follows. */
  error: z.object({ ...turnScope, error: turnError, willRetry: z.boolean() }),
  "item/started": z.object({ ...turnScope, item: threadItem }),
  "item/completed": z.object({ ...turnScope, item: threadItem }),
  "item/agentMessage/delta": z.object({ ...itemScope, delta: z.string() }),
  "item/reasoning/summaryTextDelta": z.object({ ...itemScope, delta: z.string(), summaryIndex: z.int() }),
  "item/reasoning/summaryPartAdded": z.object({ ...itemScope, summaryIndex: z.int() }),
  "item/reasoning/textDelta": z.object({ ...itemScope, delta: z.string(), contentIndex: z.int() }),
  /** The model's own item. Injected items are echoed too, under a turn id of their own. */
  "rawResponseItem/completed": z.object({ ...turnScope, item: z.looseObject({ type: z.string() }) }),
  "rawResponse/completed": z.object({ ...turnScope, responseId: z.string(), usage: orNull(tokenUsage) }),
  "thread/tokenUsage/updated": z.object({
    ...turnScope,
    tokenUsage: z.object({ total: tokenUsage, last: tokenUsage }),
  }),
  "thread/closed": z.object({ threadId: z.string() }),
  "model/rerouted": z.object({ ...turnScope, fromModel: z.string(), toModel: z.string() }),
  warning: z.object({ threadId: z.string(), message: z.string() }),
} as const;
