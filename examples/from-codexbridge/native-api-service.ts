/**
 * CodexBridge's `new CodexNativeApiService(options)`, on this service: the same options, `start`, `stop`, `baseUrl` and binding. Its
 * other options, such as `providerRegistry` and `defaultCwd`, may stay and have no effect. See docs/from-codexbridge.md.
 */
import { join } from "node:path";
// In a program of your own: from "codex-native-api".
import { CodexNativeApiService, createConfig } from "../../src/main/index.js";

type Texts = "host" | "authToken" | "authPath" | "defaultModel" | "providerProfileId";
type BridgeOptions = { [name in Texts]?: string | null } & { env?: NodeJS.ProcessEnv; port?: number | null };

export function createNativeApi({ env = process.env, ...options }: BridgeOptions & Record<string, unknown>) {
  const listen = { host: options.host || undefined, port: options.port ?? undefined };
  const turns = { defaultModel: options.defaultModel || undefined };
  const login = options.authPath || env.CODEX_NATIVE_API_AUTH_PATH;
  const all = { env: { ...env, CODEX_NATIVE_API_AUTH_PATH: login } };
  const read = createConfig({ listen, turns, auth: { token: options.authToken || undefined } }, all);
  if (!read.ok) throw new Error(read.faults.map((fault) => `${fault.source}: ${fault.problem}`).join("\n"));
  for (const { source, problem } of read.warnings) process.emitWarning(`${source} ${problem}`);
  const id = options.providerProfileId || "openai-default";
  const service = new CodexNativeApiService({ config: read.config, environment: env, providerProfileId: id });
  const authPath = join(read.config.codex.userHome, "auth.json");
  const names = { providerKind: "openai-native", providerDisplayName: "Codex" };
  const binding = { providerProfileId: id, ...names, authPath };
  return {
    get baseUrl() {
      return service.baseUrl ?? "";
    },
    describeBinding: () => binding,
    start: () => service.start().then(() => binding),
    stop: () => service.stop(),
  };
}
