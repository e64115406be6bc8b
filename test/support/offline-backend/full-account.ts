/** What an account has on which everything is on: the texts that tests look for, and the bodies that carry them. */
import type { JsonObject } from "./json.js";

/** Only for these plans (`business`, `edu`, `enterprise`; measured with 0.171) Codex asks for managed configuration. */
export const fullAccountPlan = "enterprise";

/** The organisation's own words: a default that other settings may replace, and what nothing replaces. */
export const managedInstructions = "Organisation policy 7: never name a customer.";
export const requiredInstructions = "Organisation policy 8: never name a price.";

/** `GET …/wham/config/bundle` */
export function managedConfiguration(): JsonObject {
  const configuration = [
    `developer_instructions = ${JSON.stringify(managedInstructions)}`,
    "[features]",
    "apps = true",
    "memories = true",
    "plugins = true",
    "",
  ].join("\n");
  const requirements = [
    'allowed_sandbox_modes = ["read-only", "workspace-write"]',
    `additional_developer_instructions = ${JSON.stringify(requiredInstructions)}`,
    "",
  ].join("\n");
  return {
    config_toml: { enterprise_managed: [fragment("config-1", "Offline defaults", configuration)] },
    requirements_toml: { enterprise_managed: [fragment("requirements-1", "Offline limits", requirements)] },
  };
}

function fragment(id: string, name: string, contents: string): JsonObject {
  return { id, name, contents };
}

/** `GET …/wham/settings/user`: puts `<git_attribution>` into the prompt. */
export const userSettings: JsonObject = { commit_attribution_enabled: true };

/** `GET …/wham/rate-limit-reset-credits` */
export const resetCredits: JsonObject = {
  available_count: 2,
  total_earned_count: 2,
  credits: ["one", "two"].map((name) => ({
    id: `reset-credit-${name}`,
    reset_type: "codex_rate_limits",
    status: "available",
    granted_at: "2026-01-01T00:00:00Z",
    expires_at: "2099-01-01T00:00:00Z",
    title: "Full reset",
    description: null,
  })),
};

/** `GET …/wham/profiles/me` */
export const usageProfile: JsonObject = {
  stats: {
    lifetime_tokens: 123_456,
    peak_daily_tokens: 9_876,
    longest_running_turn_sec: 321,
    current_streak_days: 3,
    longest_streak_days: 5,
    daily_usage_buckets: [{ start_date: "2026-01-01", tokens: 9_876 }],
  },
};

/** `GET …/wham/workspace-messages` */
export const workspaceMessages: JsonObject = {
  messages: [
    {
      message_id: "message-1",
      message_type: "announcement",
      message_body: "The offline workspace says hello.",
      created_at: "2026-01-01T00:00:00Z",
      archived_at: null,
    },
  ],
};
