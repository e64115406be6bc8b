import t from "tap";
import {
  readServerNotice,
  readThreadNotification,
} from "../../../../src/workers/app-server/notification-router.js";

const turn = { threadId: "t", turnId: "u" };

t.test("a turn's end keeps status and error, whichever form the error info has", async (t) => {
  const read = (status: string, error: unknown) =>
    readThreadNotification("turn/completed", { threadId: "t", turn: { id: "u", status, error, items: [] } });
  t.strictSame(read("completed", null), {
    method: "turn/completed",
    params: { threadId: "t", turn: { id: "u", status: "completed", error: null, items: [] } },
  });
  for (const codexErrorInfo of [
    "usageLimitExceeded",
    { httpConnectionFailed: { httpStatusCode: 502 } },
    null,
  ]) {
    const error = { message: "m", codexErrorInfo, additionalDetails: null };
    t.match(read("failed", error), { params: { turn: { status: "failed", error } } });
  }
  t.match(read("failed", { message: "m" }), {
    params: { turn: { error: { codexErrorInfo: null, additionalDetails: null } } },
  });
});

t.test("a status we do not know is unknown, and the notification is not lost", async (t) => {
  const params = { threadId: "t", turn: { id: "u", status: "paused", error: null } };
  t.match(readThreadNotification("turn/completed", params), { params: { turn: { status: "unknown" } } });
});

t.test("the model's own item passes through whole", async (t) => {
  const item = { type: "reasoning", id: "rs", encrypted_content: "x", summary: [], future: { deep: [1] } };
  t.strictSame(readThreadNotification("rawResponseItem/completed", { ...turn, item }), {
    method: "rawResponseItem/completed",
    params: { ...turn, item },
  });
});

t.test("usage may be missing", async (t) => {
  const params = { ...turn, responseId: "r", usage: null };
  t.match(readThreadNotification("rawResponse/completed", params), { params });
});

t.test("notices about the account and the server are told apart and pass through whole", async (t) => {
  const params = { authMode: "chatgpt", planType: "plus", future: 1 };
  t.strictSame(readServerNotice("account/updated", params), { about: "account", params });
  t.match(readServerNotice("account/login/completed", { success: true, error: null }), { about: "account" });
  t.match(readServerNotice("configWarning", { summary: "s", details: null }), { about: "server" });
  t.match(readServerNotice("warning", { message: "m", threadId: null }), { about: "server" });
  t.equal(readServerNotice("warning", {}), "malformed");
  t.equal(readServerNotice("constructor", {}), null);
});
