import type { BackendCounters } from "./counters.js";
import type { JsonObject } from "./json.js";
import type { Identity, TokenAnswer, TokenAuthority } from "./token-authority.js";

/** Plays the pages of a login by device code: the code, the wait for the browser, and the exchange for tokens. */
export class DeviceLogins {
  readonly userCode = "WXYZ-1234";
  readonly #tokens: TokenAuthority;
  readonly #counters: BackendCounters;
  #approvedFor: Identity | "nobody" | null = null;

  constructor(tokens: TokenAuthority, counters: BackendCounters) {
    this.#tokens = tokens;
    this.#counters = counters;
  }

  /** What the user does in the browser: enters the code as this account. */
  approve(identity: Identity): void {
    this.#approvedFor = identity;
  }

  /** The user says no. */
  deny(): void {
    this.#approvedFor = "nobody";
  }

  /** `POST …/deviceauth/usercode` */
  issueCode(): JsonObject {
    this.#counters.deviceCodes++;
    return { device_auth_id: "device-1", user_code: this.userCode, interval: "1" };
  }

  /** `POST …/deviceauth/token`: 403 means "not yet". */
  poll(): TokenAnswer {
    this.#counters.deviceCodePolls++;
    if (this.#approvedFor === null) return { status: 403, body: { error: "authorization_pending" } };
    if (this.#approvedFor === "nobody") return { status: 400, body: { error: "access_denied" } };
    const body = { authorization_code: "code-1", code_challenge: "challenge", code_verifier: "verifier" };
    return { status: 200, body };
  }

  /** `POST /oauth/token` with the code. */
  exchange(): TokenAnswer {
    if (this.#approvedFor === null || this.#approvedFor === "nobody")
      return { status: 401, body: { error: "invalid_grant" } };
    const tokens = this.#tokens.issue(this.#approvedFor);
    return {
      status: 200,
      body: {
        id_token: tokens.idToken,
        access_token: tokens.accessToken,
        refresh_token: tokens.refreshToken,
        token_type: "Bearer",
        expires_in: 3_600,
      },
    };
  }
}
