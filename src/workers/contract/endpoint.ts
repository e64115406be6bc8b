/** Where a worker finds its app-server. */
export type AppServerEndpoint =
  /** A WebSocket on a private unix socket. */
  | { readonly kind: "unix"; readonly socketPath: string }
  /** A WebSocket on a loopback port. */
  | { readonly kind: "tcp"; readonly url: string }
  /** The worker spawns a process of its own and speaks JSON lines on its stdio. */
  | { readonly kind: "stdio"; readonly spawn: SpawnSpec };

/** A process to start, decided wholly by the supervisor. */
export interface SpawnSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the child: an allow-list, not the parent's. */
  readonly env: Readonly<Record<string, string>>;
  /** Steps of the stop ladder, in milliseconds each: stdin ended, then SIGTERM, then SIGKILL. */
  readonly stopStepMs: number;
}
