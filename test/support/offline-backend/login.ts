import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderToml, type TomlTable } from "./codex-config.js";
import { fullAccountPlan } from "./full-account.js";
import type { OfflineBackend } from "./offline-backend.js";
import type { Identity, TokenSet } from "./token-authority.js";

/** Whose login it is, and how long its tokens last. */
export interface LoginOptions {
  readonly backend: OfflineBackend;
  readonly email?: string;
  readonly accountId?: string;
  /** Default `pro`; of a full account one whose configuration is managed. */
  readonly planType?: string;
  readonly userId?: string;
  /** Negative: expired already, so that Codex refreshes before its first request. Default 3,600. */
  readonly accessTokenExpiresInSeconds?: number;
  /** Default: now. Codex refreshes by itself when it is more than eight days ago. */
  readonly lastRefresh?: Date;
}

/** A ChatGPT login, and the home that it is made in. */
export interface ChatGptLoginOptions extends LoginOptions {
  readonly home: string;
  /**
   * Default: the built-in `openai` provider, retries and WebSocket as Codex has them. With any of these set,
   * a provider of our own that uses the same login (`requires_openai_auth`), since the built-in one cannot be changed.
   */
  readonly provider?: ProviderTuning;
  /** zstd for request bodies sent by POST, as Codex does by default. Here default false: readable on every Node. */
  readonly requestCompression?: boolean;
  /** More lines for the top of config.toml. */
  readonly config?: TomlTable;
}

/** Settings of a provider in `config.toml`; left out: as Codex has them. */
export interface ProviderTuning {
  readonly supportsWebSockets?: boolean;
  readonly requestMaxRetries?: number;
  readonly streamMaxRetries?: number;
  readonly streamIdleTimeoutMs?: number;
}

/** The login that was made, and where. */
export interface ChatGptLogin extends Identity {
  readonly home: string;
}

/** A CODEX_HOME that is logged in with ChatGPT and talks to the backend. */
export async function createChatGptLogin(options: ChatGptLoginOptions): Promise<ChatGptLogin> {
  const { home, backend, provider } = options;
  await createHome(home);
  const top = {
    openai_base_url: `${backend.origin}/v1`,
    chatgpt_base_url: `${backend.origin}/backend-api`,
    cli_auth_credentials_store: "file",
    ...options.config,
  };
  const features = { enable_request_compression: options.requestCompression ?? false };
  const tables = { ...COMMON_TABLES, features };
  const config =
    provider === undefined
      ? renderToml(top, tables)
      : renderToml(
          { ...top, model_provider: "offline" },
          {
            ...tables,
            "model_providers.offline": { ...renderProvider(backend, provider), requires_openai_auth: true },
          },
        );
  await writeFile(join(home, "config.toml"), config, { mode: 0o600 });
  const identity = await switchAccount(home, options);
  return { home, ...identity };
}

/** A CODEX_HOME with an API key, whose built-in `openai` provider is the backend. */
export async function createApiKeyLogin(options: {
  readonly home: string;
  readonly backend: OfflineBackend;
}): Promise<void> {
  const { home, backend } = options;
  await createHome(home);
  const top = {
    openai_base_url: `${backend.origin}/v1`,
    chatgpt_base_url: `${backend.origin}/backend-api`,
    cli_auth_credentials_store: "file",
  };
  const tables = { ...COMMON_TABLES, features: { enable_request_compression: false } };
  await writeFile(join(home, "config.toml"), renderToml(top, tables), { mode: 0o600 });
  const auth = { auth_mode: "apikey", OPENAI_API_KEY: "sk-offline" };
  await writeFile(join(home, "auth.json"), `${JSON.stringify(auth)}\n`, { mode: 0o600 });
}

/** What `codex login` does to a home: another account's auth.json in one step, mode 0600. */
export async function switchAccount(home: string, options: LoginOptions): Promise<Identity> {
  const identity: Identity = {
    email: options.email ?? "offline@example.test",
    accountId: options.accountId ?? "acct-offline-1",
    planType: options.planType ?? (options.backend.account === "full" ? fullAccountPlan : "pro"),
    userId: options.userId ?? "user-offline-1",
  };
  const tokens = options.backend.tokens.issue(identity, options.accessTokenExpiresInSeconds ?? 3_600);
  const auth = renderAuth(tokens, identity, options.lastRefresh ?? new Date());
  const temporary = join(home, `.auth.json.${process.pid}.tmp`);
  await writeFile(temporary, auth, { mode: 0o600 });
  await rename(temporary, join(home, "auth.json"));
  return identity;
}

/** What `codex logout` leaves behind: no auth.json. */
export async function logout(home: string): Promise<void> {
  await rm(join(home, "auth.json"), { force: true });
}

export interface ProviderHomeOptions extends ProviderTuning {
  readonly home: string;
  readonly backend: OfflineBackend;
  readonly config?: TomlTable;
}

/** A CODEX_HOME without a login, whose own provider is the backend. No retries unless asked for. */
export async function createProviderHome(options: ProviderHomeOptions): Promise<void> {
  const { home, backend } = options;
  await createHome(home);
  const tuning = { supportsWebSockets: false, requestMaxRetries: 0, streamMaxRetries: 0, ...options };
  const config = renderToml(
    { model_provider: "offline", chatgpt_base_url: `${backend.origin}/backend-api`, ...options.config },
    { ...COMMON_TABLES, "model_providers.offline": renderProvider(backend, tuning) },
  );
  await writeFile(join(home, "config.toml"), config, { mode: 0o600 });
}

const COMMON_TABLES = { analytics: { enabled: false } };

function renderProvider(backend: OfflineBackend, tuning: ProviderTuning): TomlTable {
  return {
    name: "offline",
    base_url: `${backend.origin}/v1`,
    wire_api: "responses",
    supports_websockets: tuning.supportsWebSockets ?? true,
    ...(tuning.requestMaxRetries === undefined ? {} : { request_max_retries: tuning.requestMaxRetries }),
    ...(tuning.streamMaxRetries === undefined ? {} : { stream_max_retries: tuning.streamMaxRetries }),
    ...(tuning.streamIdleTimeoutMs === undefined
      ? {}
      : { stream_idle_timeout_ms: tuning.streamIdleTimeoutMs }),
  };
}

function renderAuth(tokens: TokenSet, identity: Identity, lastRefresh: Date): string {
  const auth = {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: {
      id_token: tokens.idToken,
      access_token: tokens.accessToken,
      refresh_token: tokens.refreshToken,
      account_id: identity.accountId,
    },
    last_refresh: lastRefresh.toISOString(),
  };
  return `${JSON.stringify(auth, undefined, 2)}\n`;
}

async function createHome(home: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await chmod(home, 0o700);
}
