import t from "tap";
import { RetryNotices } from "../../../../src/workers/turn/turn-failure.js";

/** As Codex 0.160 to 0.171 announce their retries. */
function notice(details: string, httpStatusCode: number | null = null) {
  const codexErrorInfo = { responseStreamDisconnected: { httpStatusCode } };
  return { message: "Reconnecting... 2/5", additionalDetails: details, codexErrorInfo };
}

const noNetwork = {
  ...notice("Connection failed: error sending request"),
  message: "Reconnecting... waiting for network",
};

t.test("a retry of what is refused for good ends the turn", async (t) => {
  const refusals: readonly [status: number, code: string][] = [
    [401, "native_login_required"],
    [402, "upstream_forbidden"],
    [403, "upstream_forbidden"],
    [404, "upstream_bad_request"],
    [413, "upstream_bad_request"],
    [422, "upstream_bad_request"],
  ];
  for (const [status, code] of refusals) {
    for (const url of ["", ", url: https://backend.example/v1/responses"]) {
      const outcome = new RetryNotices().judge(
        notice(`unexpected status ${status} X: no${url}`, status),
        false,
      );
      t.match(outcome, { status: "failed", error: { code, message: /: no$/ } }, `${status}${url}`);
    }
  }
});

t.test("a retry that may help goes on, and so does one after a refused upgrade", async (t) => {
  const notices = new RetryNotices();
  for (const status of [408, 409, 500, 502, 503, 504, 529]) {
    t.equal(notices.judge(notice(`unexpected status ${status} X: no`, status), false), null, `${status}`);
  }
  for (const status of [401, 403, 404]) {
    const details = `unexpected status ${status} X: no, url: wss://backend.example/v1/responses`;
    t.equal(notices.judge(notice(details, status), false), null, `upgrade ${status}`);
  }
  t.equal(notices.judge(notice("stream disconnected before completion: It is so."), false), null);
  t.equal(notices.judge(notice("We're currently experiencing high demand"), false), null);
  t.equal(notices.judge({ message: "Reconnecting... 1/5" }, false), null);
});

t.test("a turn that has shown nothing does not wait for a network for long", async (t) => {
  const notices = new RetryNotices();
  t.equal(notices.judge(noNetwork, false), null);
  t.match(notices.judge(noNetwork, false), {
    status: "failed",
    error: { code: "upstream_connection_failed", message: /cannot be reached/ },
  });
});

t.test(
  "a turn that has shown something waits longer, and a network that came back starts anew",
  async (t) => {
    const notices = new RetryNotices();
    for (let count = 1; count <= 3; count += 1) t.equal(notices.judge(noNetwork, true), null);
    notices.noteOutput();
    for (let count = 1; count <= 3; count += 1) t.equal(notices.judge(noNetwork, true), null);
    t.not(notices.judge(noNetwork, true), null);
  },
);

t.test(
  "a burst limit ends a turn that has shown nothing, for the queue knows better when to ask again",
  async (t) => {
    const burst = notice("unexpected status 429 Too Many Requests: slow down", 429);
    t.match(new RetryNotices().judge(burst, false), {
      status: "failed",
      error: { code: "rate_limit_exceeded", refusedFor: "account" },
    });
    t.equal(new RetryNotices().judge(burst, true), null);
    // As 0.150 words what came in the stream.
    const inStream = notice("stream disconnected before completion: Rate limit reached for gpt-5.5: wait.");
    t.match(new RetryNotices().judge(inStream, false), {
      error: { code: "rate_limit_exceeded", refusedFor: "model" },
    });
  },
);

t.test("an upgrade that is refused as one too many is told of, and no other", async (t) => {
  let told = 0;
  const notices = new RetryNotices(() => {
    told += 1;
  });
  const upgrade = (status: number) =>
    notice(`unexpected status ${status} X: no, url: wss://backend.example/v1/responses`, status);
  for (const status of [400, 401, 404, 426, 500]) t.equal(notices.judge(upgrade(status), false), null);
  t.equal(told, 0);
  for (const status of [403, 429]) t.equal(notices.judge(upgrade(status), false), null);
  t.equal(told, 2);
});
