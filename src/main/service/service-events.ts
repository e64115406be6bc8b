import type { CodexNativeApiErrorCode } from "../errors.js";
import type { NativeAccount } from "../runtime/types.js";

/** The events of a `CodexNativeApiService`, by name. Each event reaches all listeners before the next one does. */
export interface CodexNativeApiServiceEvents {
  /** The address is bound. Turns are answered with 503 until `ready`. */
  readonly listening: ServiceListening;
  /** Codex has named the account, and turns run. Comes again after each `unavailable`. */
  readonly ready: ServiceReady;
  /**
   * Turns cannot run, or the reason for that has changed. Not sent while Codex starts for the first time, which is the time
   * between `listening` and `ready`.
   */
  readonly unavailable: ServiceUnavailable;
  /** The account has changed. The first one after each start is a change from null. Comes before `ready`. */
  readonly accountChanged: ServiceAccountChanged;
  /** `stop` or `destroy` begins. */
  readonly stopping: ServiceStopping;
  /** Every listener, worker and process of this run has ended. */
  readonly stopped: ServiceStopped;
}

/** Of `listening`. */
export interface ServiceListening {
  /** Where the service listens, such as `http://127.0.0.1:43182`. */
  readonly url: string;
}

/** Of `ready`. */
export interface ServiceReady {
  /** Null where it is unknown; `authMode` is `none` where the provider needs no login. */
  readonly account: NativeAccount | null;
  /** Such as `0.169.0`. */
  readonly codexVersion: string | null;
}

/** Of `unavailable`. */
export interface ServiceUnavailable {
  /** `native_login_required` or `native_runtime_unavailable`: the code of every turn's error meanwhile. */
  readonly code: CodexNativeApiErrorCode;
  /** For people: the fault and, where somebody must act, what to do. */
  readonly message: string;
  /** Whether the service expects to recover by itself within moments. False: somebody must act, or it takes longer. */
  readonly recovering: boolean;
}

/** Of `accountChanged`. Null: nobody is logged in, or the account is not known yet. */
export interface ServiceAccountChanged {
  readonly previous: NativeAccount | null;
  readonly current: NativeAccount | null;
}

/** Of `stopping`. */
export interface ServiceStopping {
  /** How long turns in flight may take to end, in milliseconds; 0 for `destroy`. */
  readonly graceMs: number;
}

/** Has no fields yet. */
export type ServiceStopped = Readonly<Record<never, never>>;
