/** How each coding agent is configured for this service, as its documentation says. */
import { join } from "node:path";
import type { Agent } from "./agents.js";

/** The npm packages of an agent, and what is started of them. */
export interface AgentProgram extends Omit<Agent, "command"> {
  readonly name: string;
  readonly packages: Readonly<Record<string, string>>;
  /** Under `node_modules`. */
  readonly entry: string;
  /** Whether `entry` is a program by itself, and no script. */
  readonly native: boolean;
}

const opencodePackage = `opencode-${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;

function opencode(npm: "@ai-sdk/openai" | "@ai-sdk/openai-compatible"): AgentProgram {
  return {
    name: `opencode (${npm === "@ai-sdk/openai" ? "Responses" : "chat"})`,
    // The package of the platform: the launcher before it needs a script of installation.
    packages: { [opencodePackage]: "1.18.33" },
    entry: join(opencodePackage, "bin", process.platform === "win32" ? "opencode.exe" : "opencode"),
    native: true,
    files: ({ baseUrl, model }) => ({
      ".config/opencode/opencode.json": JSON.stringify({
        autoupdate: false,
        share: "disabled",
        model: `native/${model}`,
        small_model: `native/${model}`,
        enabled_providers: ["native"],
        provider: {
          native: {
            npm,
            options: { baseURL: baseUrl, apiKey: "local" },
            models: { [model]: { limit: { context: 200_000, output: 32_000 } } },
          },
        },
      }),
    }),
    environment: () => ({ OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_AUTOUPDATE: "1" }),
    ask: (prompt) => ["run", "--auto", prompt],
    resume: (prompt) => ["run", "--auto", "--continue", prompt],
  };
}

function qwen(authType: "openai" | "openai-responses"): AgentProgram {
  const flags = ["--auth-type", authType, "--yolo"];
  return {
    name: `Qwen Code (${authType === "openai" ? "chat" : "Responses"})`,
    packages: { "@qwen-code/qwen-code": "0.24.4" },
    entry: join("@qwen-code", "qwen-code", "cli-entry.js"),
    native: false,
    files: () => ({
      ".qwen/settings.json": JSON.stringify({
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
        general: { enableAutoUpdate: false, disableAutoUpdate: true },
      }),
    }),
    environment: ({ baseUrl, model }) => ({
      OPENAI_BASE_URL: baseUrl,
      OPENAI_API_KEY: "local",
      OPENAI_MODEL: model,
    }),
    ask: (prompt) => [...flags, prompt],
    resume: (prompt) => [...flags, "--continue", prompt],
    structured: (prompt, schema) => [...flags, "--json-schema", schema, prompt],
  };
}

const cline: AgentProgram = {
  name: "Cline CLI",
  packages: { cline: "3.0.65" },
  entry: join("cline", "bin", "cline"),
  native: false,
  // What `cline auth openai -k local -m MODEL -b URL` writes.
  files: ({ baseUrl, model }) => ({
    ".cline/data/settings/providers.json": JSON.stringify({
      version: 1,
      lastUsedProvider: "openai-compatible",
      modes: {},
      providers: {
        "openai-compatible": {
          settings: { provider: "openai-compatible", apiKey: "local", model, baseUrl },
          updatedAt: "2026-01-01T00:00:00.000Z",
          tokenSource: "manual",
        },
      },
    }),
  }),
  environment: () => ({ CLINE_TELEMETRY_DISABLED: "1", CLINE_NO_AUTO_UPDATE: "1" }),
  ask: (prompt, { model }) => ["-P", "openai-compatible", "-m", model, prompt],
};

const continueCli: AgentProgram = {
  name: "Continue CLI",
  packages: { "@continuedev/cli": "1.5.47" },
  entry: join("@continuedev", "cli", "dist", "cn.js"),
  native: false,
  files: ({ baseUrl, model }) => ({
    "config.yaml": `name: Local
version: 0.0.1
schema: v1
models:
  - name: Codex
    provider: openai
    model: ${model}
    apiBase: ${baseUrl}
    apiKey: local
    roles: [chat, edit, apply]
    capabilities: [tool_use]
`,
  }),
  environment: () => ({ CONTINUE_TELEMETRY_ENABLED: "0", CONTINUE_CLI_ENABLE_TELEMETRY: "0" }),
  ask: (prompt, { home }) => ["-p", "--auto", "--config", join(home, "config.yaml"), prompt],
  resume: (prompt, { home }) => ["-p", "--auto", "--resume", "--config", join(home, "config.yaml"), prompt],
};

export const agentPrograms: readonly AgentProgram[] = [
  opencode("@ai-sdk/openai"),
  opencode("@ai-sdk/openai-compatible"),
  qwen("openai"),
  qwen("openai-responses"),
  cline,
  continueCli,
];
