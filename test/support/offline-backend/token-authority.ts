import { randomBytes } from "node:crypto";
import type { BackendCounters } from "./counters.js";
import { httpError } from "./http-errors.js";
import type { JsonObject } from "./json.js";
import type { HttpErrorReply } from "./reply.js";
import { signNothing } from "./unsigned-jwt.js";

/** Whose account it is. */
export interface Identity {
  readonly email: string;
  readonly accountId: string;
  readonly planType: string;
  readonly userId: string;
}

/** The tokens of one login, as `auth.json` holds them. */
export interface TokenSet {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** The answer of a route of the login server. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

/** Issues logins and refreshes them, each refresh token once. Nothing is signed: Codex does not check. */
export class TokenAuthority {
  readonly #counters: BackendCounters;
  readonly #unusedRefreshTokens = new Map<string, Identity>();
  readonly #usedRefreshTokens = new Set<string>();
  readonly #revokedAccessTokens = new Set<string>();
  readonly #accessTokens = new Map<string, Identity>();
  readonly #accounts = new Map<string, Identity>();

  constructor(counters: BackendCounters) {
    this.#counters = counters;
  }

  /** New tokens of a login; each refresh token works once. */
  issue(identity: Identity, accessTokenExpiresInSeconds = 3_600): TokenSet {
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const claims = {
      email: identity.email,
      email_verified: true,
      sub: `auth0|${identity.userId}`,
      iss: "https://auth.openai.com",
      iat: nowSeconds,
      exp: nowSeconds + accessTokenExpiresInSeconds,
      jti: randomBytes(8).toString("hex"),
      "https://api.openai.com/auth": {
        chatgpt_account_id: identity.accountId,
        chatgpt_plan_type: identity.planType,
        chatgpt_user_id: identity.userId,
        user_id: identity.userId,
      },
    };
    const tokens = {
      idToken: signNothing({ ...claims, aud: ["app_EMoamEEZ73f0CkXaXp7hrann"] }),
      accessToken: signNothing({ ...claims, aud: ["https://api.openai.com/v1"] }),
      refreshToken: `rt_${randomBytes(16).toString("hex")}`,
    };
    this.#unusedRefreshTokens.set(tokens.refreshToken, identity);
    this.#accessTokens.set(tokens.accessToken, identity);
    this.#accounts.set(identity.accountId, identity);
    return tokens;
  }

  /** The answer to `POST /oauth/token`. */
  refresh(refreshToken: unknown): TokenAnswer {
    const known = typeof refreshToken === "string" ? refreshToken : "";
    const identity = this.#unusedRefreshTokens.get(known);
    if (identity === undefined) {
      this.#counters.refusedTokenRefreshes++;
      if (!this.#usedRefreshTokens.has(known)) {
        return refuse("refresh_token_invalidated", "Your refresh token is not valid. Please sign in again.");
      }
      this.#counters.reusedRefreshTokens++;
      return refuse(
        "refresh_token_reused",
        "Your refresh token has already been used to generate a new access token. Please try signing in again.",
      );
    }
    this.#unusedRefreshTokens.delete(known);
    this.#usedRefreshTokens.add(known);
    this.#counters.tokenRefreshes++;
    const tokens = this.issue(identity);
    return {
      status: 200,
      body: {
        id_token: tokens.idToken,
        access_token: tokens.accessToken,
        refresh_token: tokens.refreshToken,
        token_type: "Bearer",
        expires_in: 3_600,
        scope: "openid profile email offline_access",
      },
    };
  }

  /** From now on the access tokens given out so far (of one account, or of all) are answered 401. */
  revokeAccessTokens(accountId?: string): void {
    for (const [token, identity] of this.#accessTokens) {
      if (accountId === undefined || identity.accountId === accountId) {
        this.#accessTokens.delete(token);
        this.#revokedAccessTokens.add(token);
      }
    }
  }

  /** `POST /oauth/revoke`: the refresh token of one login that ends. */
  revoke(token: unknown): void {
    if (typeof token === "string") this.#unusedRefreshTokens.delete(token);
  }

  /** The refresh tokens given out so far are refused, as after a logout elsewhere. */
  revokeRefreshTokens(): void {
    this.#unusedRefreshTokens.clear();
  }

  /** The 401 for a revoked access token; undefined for any other. */
  refusalFor(authorization: string | undefined): HttpErrorReply | undefined {
    const token = authorization?.replace(/^Bearer /, "");
    if (token === undefined || !this.#revokedAccessTokens.has(token)) {
      return undefined;
    }
    return httpError(401, {
      code: "token_expired",
      message: "Provided authentication token is expired. Please try signing in again.",
    });
  }

  /** The account of this id, if it has ever logged in. */
  accountOf(accountId: string): Identity | undefined {
    return this.#accounts.get(accountId);
  }
}

function refuse(code: string, message: string): TokenAnswer {
  return { status: 401, body: { error: { message, type: "invalid_request_error", param: null, code } } };
}
