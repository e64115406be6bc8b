/** Calls that concern the process, the catalog and the account. */
import { z } from "zod";
import { orNull } from "./schema-parts.js";

const rateLimitWindow = z.object({
  usedPercent: z.number(),
  windowDurationMins: orNull(z.number()),
  /** Unix time in seconds. */
  resetsAt: orNull(z.number()),
});

export const rateLimitSnapshot = z.object({
  limitId: orNull(z.string()),
  primary: orNull(rateLimitWindow),
  secondary: orNull(rateLimitWindow),
  planType: orNull(z.string()),
  rateLimitReachedType: orNull(z.string()),
});

const model = z.object({
  id: z.string(),
  displayName: z.string(),
  description: z.string(),
  hidden: z.boolean().default(false),
  isDefault: z.boolean(),
  supportedReasoningEfforts: z.array(z.object({ reasoningEffort: z.string() })).default([]),
  defaultReasoningEffort: orNull(z.string()),
  inputModalities: z.array(z.string()).default(["text", "image"]),
  serviceTiers: z.array(z.object({ id: z.string() })).default([]),
});

export const accountMethods = {
  initialize: {
    params: z.object({
      clientInfo: z.object({ name: z.string(), title: z.string(), version: z.string() }),
      capabilities: z.object({
        experimentalApi: z.boolean(),
        requestAttestation: z.boolean(),
        optOutNotificationMethods: z.array(z.string()).readonly(),
      }),
    }),
    result: z.object({ userAgent: z.string() }),
  },
  "server/diagnostics": {
    params: z.object({}),
    result: z.object({ process: z.object({ residentMemoryBytes: orNull(z.number()) }) }),
  },
  "model/list": {
    params: z.object({
      cursor: z.string().exactOptional(),
      limit: z.int().exactOptional(),
      includeHidden: z.boolean().exactOptional(),
    }),
    result: z.object({ data: z.array(model), nextCursor: orNull(z.string()) }),
  },
  "account/read": {
    params: z.object({ refreshToken: z.boolean().exactOptional() }),
    result: z.object({
      /** Null where the provider needs no login, or nobody is logged in: `requiresOpenaiAuth` says which. */
      account: orNull(
        z.object({ type: z.string(), email: orNull(z.string()), planType: orNull(z.string()) }),
      ),
      requiresOpenaiAuth: z.boolean(),
      userId: orNull(z.string()),
      workspaceRouting: orNull(
        z.object({
          chatgptAccountId: z.string(),
          backendOrigin: orNull(z.string()),
          accountRoutingOverride: orNull(z.string()),
        }),
      ),
    }),
  },
  /** Who is logged in. Codex answers from its memory and sends no request for it. */
  getAuthStatus: {
    params: z.object({
      includeToken: z.boolean().exactOptional(),
      refreshToken: z.boolean().exactOptional(),
    }),
    result: z.object({ authMethod: orNull(z.string()), requiresOpenaiAuth: orNull(z.boolean()) }),
  },
  "account/rateLimits/read": {
    params: z.object({}),
    result: z.object({
      rateLimits: rateLimitSnapshot,
    }),
  },
  /** The effective configuration, and the layer that each key comes from. */
  "config/read": {
    params: z.object({ includeLayers: z.boolean().exactOptional() }),
    result: z.object({
      config: z.object({ developer_instructions: orNull(z.string()) }),
      origins: z.record(z.string(), z.object({ name: z.object({ type: z.string() }) })),
    }),
  },
  /** What an organisation or the machine's administrator requires; null where nothing is required. */
  "configRequirements/read": {
    params: z.null(),
    result: z.object({
      requirements: orNull(z.object({ additionalDeveloperInstructions: orNull(z.string()) })),
    }),
  },
  /** Logs in without a browser on this machine. `account/login/completed` reports the end. */
  "account/login/start": {
    params: z.object({ type: z.literal("chatgptDeviceCode") }),
    /** Null for other ways to log in, which have no code. */
    result: z.object({
      loginId: orNull(z.string()),
      verificationUrl: orNull(z.string()),
      userCode: orNull(z.string()),
    }),
  },
  "account/login/cancel": {
    params: z.object({ loginId: z.string() }),
    result: z.object({}),
  },
} as const;

/** Notifications about the account, passed on whole. */
export const accountNotificationSchemas = {
  "account/updated": z.looseObject({ authMode: orNull(z.string()), planType: orNull(z.string()) }),
  "account/rateLimits/updated": z.looseObject({ rateLimits: rateLimitSnapshot }),
  "account/login/completed": z.looseObject({ success: z.boolean(), error: orNull(z.string()) }),
} as const;

/** Warnings of the app-server that concern no thread. */
export const serverNoticeSchemas = {
  warning: z.looseObject({ message: z.string(), threadId: orNull(z.string()) }),
  configWarning: z.looseObject({ summary: z.string(), details: orNull(z.string()) }),
} as const;
