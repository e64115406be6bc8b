/** For which reasons a task may leave this machine. `docs/side-tasks.md` shows this table; a test counts the bytes for each row. */
import type { SideTaskFailure } from "./fall-through.js";

/** How an external provider is asked. */
export type ProviderDialect = "responses" | "chat";

export const providerDialects = ["chat", "responses"] as const satisfies readonly ProviderDialect[];

interface ReasonRule {
  /** Whether a host that says nothing sends tasks for this reason. */
  readonly byDefault: boolean;
  readonly why: string;
}

const byDefault = (why: string): ReasonRule => ({ byDefault: true, why });

const ifNamed = (why: string): ReasonRule => ({ byDefault: false, why });

export const externalReasons = {
  unreachable: byDefault("Nothing answers where the service should be, or no Codex runs there."),
  not_logged_in: byDefault("Codex has no login, or the backend refused it."),
  usage_limit: byDefault("The account's plan is used up until its reset."),
  no_native_route: byDefault("The host has configured the provider and no native route."),
  restarting: ifNamed("Codex starts or restarts, or lost a turn by that: soon over."),
  not_eligible: ifNamed("Native routes are configured, but take no task of this class or provider."),
  unhealthy: ifNamed("The backend does not allow the account, or 503 came from an unknown server."),
  overloaded: ifNamed("A full queue, or a model that is overloaded: soon over."),
  rate_limited: ifNamed("Too many requests: soon over."),
  misconfigured: ifNamed("A wrong token, host or path: the host's to mend."),
  internal: ifNamed("An unexpected error."),
  bad_answer: ifNamed("An answer that does not fit the API."),
  connection_lost: ifNamed("The task was sent, and may have run."),
  route_timeout: ifNamed("The task was sent, and took longer than its share of the time."),
} as const satisfies Record<string, ReasonRule>;

/** A reason to send a task to an external provider. A refusal, bad output and a faulty task are none: they end the task. */
export type ExternalReason = keyof typeof externalReasons;

export function isExternalReason(value: unknown): value is ExternalReason {
  return typeof value === "string" && Object.hasOwn(externalReasons, value);
}

export const allExternalReasons: readonly ExternalReason[] =
  Object.keys(externalReasons).filter(isExternalReason);

export const defaultExternalReasons: readonly ExternalReason[] = allExternalReasons.filter(
  (reason) => externalReasons[reason].byDefault,
);

/** Failures whose code says more than their row. */
const byCode: ReadonlyMap<string, ExternalReason> = new Map([
  ["native_login_required", "not_logged_in"],
  ["native_runtime_unavailable", "unreachable"],
  // No connection, for want of time, descriptors or memory of this machine: a service that is busy, or a host that is.
  ...["UND_ERR_CONNECT_TIMEOUT", "ETIMEDOUT", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EAGAIN"].map(
    (code) => [code, "overloaded"] as const,
  ),
]);

/** The pause that the service asks for where Codex is back within moments. Where somebody must act first, it asks for a longer one. */
const restartPauseMs = 1_000;

/**
 * Null for a failure that ends the task and leaves the circuit closed.
 *
 * @param retryAfterMs the pause that the route asked for.
 */
export function reasonOfFailure(
  failure: SideTaskFailure,
  code: string,
  retryAfterMs: number | null = null,
): ExternalReason | null {
  // It ends its task, but the next one may find the circuit open for it.
  if (failure === "timeout") return "route_timeout";
  const isSoonBack = retryAfterMs !== null && retryAfterMs <= restartPauseMs;
  if (code === "native_runtime_unavailable" && isSoonBack) return "restarting";
  const isFurther = failure === "unhealthy" || failure === "unreachable";
  const reason = isFurther ? (byCode.get(code) ?? failure) : failure;
  return isExternalReason(reason) ? reason : null;
}
