import { sendJson } from "./http-exchange.js";
import { parseJsonObject } from "./json.js";
import { readBody } from "./request-body.js";
import type { Exchange, Route } from "./route.js";

/** What the issuer of logins is asked for: tokens, their refresh and their end. */
export const loginRoutes: readonly Route[] = [
  { method: "POST", end: "/oauth/token", answer: grantTokens },
  { method: "POST", end: "/oauth/revoke", answer: revokeToken },
  {
    method: "POST",
    end: "/deviceauth/usercode",
    answer: ({ request, response, parts }) => {
      request.resume();
      sendJson(response, 200, parts.deviceLogins.issueCode());
    },
  },
  {
    method: "POST",
    end: "/deviceauth/token",
    answer: ({ request, response, parts }) => {
      request.resume();
      const { status, body } = parts.deviceLogins.poll();
      sendJson(response, status, body);
    },
  },
];

/** A refresh comes as JSON, the code of a device login as a form. */
async function grantTokens({ request, response, parts }: Exchange): Promise<void> {
  const body = await readBody(request);
  const grant = new URLSearchParams(body.toString("utf8")).get("grant_type");
  if (grant === "authorization_code") {
    const answer = parts.deviceLogins.exchange();
    sendJson(response, answer.status, answer.body);
    return;
  }
  // The token is used up when the request arrives, not when its answer leaves: two at once race as they do for real.
  const answer = parts.tokens.refresh(parseJsonObject(body.toString("utf8"))?.refresh_token);
  // The loser of a race is refused at once, before the winner has its tokens and can write them.
  if (answer.status === 200) {
    await Promise.race([
      parts.heldTokenRefreshes(),
      new Promise((resolve) => response.once("close", resolve)),
    ]);
  }
  if (!response.destroyed) {
    sendJson(response, answer.status, answer.body);
  }
}

/** A logout. As the real endpoint, it says 200 to a token that it does not know. */
async function revokeToken({ request, response, parts }: Exchange): Promise<void> {
  const body = await readBody(request);
  parts.tokens.revoke(parseJsonObject(body.toString("utf8"))?.token);
  sendJson(response, 200, {});
}
