/** Notifications that belong to one thread, and the keys of them that we read. */
import { z } from "zod";
import { jsonObject, orNull } from "./schema-parts.js";

/** A status we do not know is `unknown`, never dropped: the turn that waits for it must end. */
export const turnStatus = z.union([
  z.enum(["completed", "interrupted", "failed", "inProgress"]),
  z.string().transform(() => "unknown" as const),
]);

export const turnError = z.object({
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
  // Codex before 0.150 does not tell.
  cacheWriteInputTokens: z.int().default(0),
  outputTokens: z.int(),
  reasoningOutputTokens: z.int(),
});

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
      /** The messages of the turn: what their own notifications lost on the way can be had from here. */
      items: z.array(threadItem).default([]),
    }),
  }),
  /** Says that a model call failed. With `willRetry` the turn goes on; without, `turn/completed` follows. */
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
