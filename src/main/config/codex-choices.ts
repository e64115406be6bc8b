/** Choices about Codex that the configuration offers and the parts that run Codex obey. */

/** Which app-server the workers talk to, and who owns it. */
export type AppServerTransport =
  /** One process of ours for all workers, on a private unix socket. */
  | { readonly kind: "shared" }
  /** Each worker spawns a process of its own. */
  | { readonly kind: "stdio" }
  /** Somebody else's running app-server on a unix socket; this service never stops it. */
  | { readonly kind: "unix"; readonly socketPath: string }
  /** Somebody else's running app-server on a loopback port (`ws://127.0.0.1:4500`); this service never stops it. */
  | { readonly kind: "tcp"; readonly url: string };

/** Which `CODEX_HOME` the app-server has. */
export type CodexHomeMode =
  /** One of the service's own, in which `auth.json` is a link to the user's. */
  | "isolated"
  /** The user's, in which this service writes nothing. */
  | "user";

/** What a name of a model stands for. */
export interface ModelAlias {
  /** Id of the model. */
  readonly model: string;
  /** Reasoning effort of requests that name none. Default: the model's. */
  readonly effort?: string | undefined;
  /** Service tier of requests that name none. Default: the ordinary one. */
  readonly tier?: string | undefined;
}

/** Models by the names that stand for them. */
export type ModelAliases = Readonly<Record<string, ModelAlias>>;
