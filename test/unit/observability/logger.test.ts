import t from "tap";
import { type CreateLoggerOptions, createLogger } from "../../../src/main/observability/logger.js";

function captureLog(options: Pick<CreateLoggerOptions, "level" | "format">) {
  const lines: string[] = [];
  const logger = createLogger({ ...options, destination: { write: (line) => lines.push(line) } });
  return { logger, lines };
}

function captureRecord(log: (logger: ReturnType<typeof createLogger>) => void): unknown {
  const { logger, lines } = captureLog({ level: "info", format: "json" });
  log(logger);
  const record: unknown = JSON.parse(lines.join(""));
  return record;
}

t.test("a record has its level by name, its time, its event and its fields", async (t) => {
  const record = captureRecord((logger) => logger.info({ event: "app_server.ready", pid: 7 }, "ready"));
  t.match(record, {
    level: "info",
    time: /^\d{4}-\d\d-\d\dT.+Z$/,
    event: "app_server.ready",
    pid: 7,
    msg: "ready",
  });
});

t.test("what is below the level is not logged", async (t) => {
  const { logger, lines } = captureLog({ level: "warn", format: "json" });
  logger.info({ event: "a" }, "no");
  logger.warn({ event: "b" }, "yes");
  t.equal(lines.length, 1);
});

t.test("secret fields are masked at any depth and in any spelling", async (t) => {
  const fields = {
    Authorization: "Bearer hush",
    auth_token: "hush",
    request: { headers: { authorization: "hush", "x-api-key": "hush", accept: "text/html" } },
    list: [{ refreshToken: "hush" }],
  };
  const text = JSON.stringify(captureRecord((logger) => logger.info({ event: "x", ...fields }, "x")));
  t.notMatch(text, /hush/);
  t.match(text, /"accept":"text\/html"/);
});

t.test("fields that only sound like secrets are kept", async (t) => {
  const record = captureRecord((logger) =>
    logger.info({ event: "x", tokens: 5, inputTokens: 3, token: null }, "x"),
  );
  t.match(record, { tokens: 5, inputTokens: 3, token: null });
});

t.test("a child logger masks its own fields too", async (t) => {
  const record = captureRecord((logger) =>
    logger.child({ token: "hush", worker: "w1" }).info({ event: "x" }, "x"),
  );
  t.match(record, { token: "[redacted]", worker: "w1" });
});

t.test("an error keeps its code, stack and cause, and nothing else it carries", async (t) => {
  const error = Object.assign(new Error("outer", { cause: new Error("inner") }), {
    code: "EPIPE",
    headers: { authorization: "hush" },
  });
  const record = captureRecord((logger) => logger.error({ event: "x", err: error, nested: { error } }, "x"));
  t.match(record, {
    err: { code: "EPIPE", message: "outer", stack: /Error: outer/, cause: { message: "inner" } },
  });
  t.notMatch(JSON.stringify(record), /hush/);
});

t.test("a cycle ends instead of the process", async (t) => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  t.match(JSON.stringify(captureRecord((logger) => logger.info({ event: "x", cycle }, "x"))), /\[cut\]/);
});

t.test("the text format is one line a record with the event in front", async (t) => {
  const { logger, lines } = captureLog({ level: "info", format: "text" });
  logger.info({ event: "service.ready", url: "http://127.0.0.1:1", note: "two words" }, "listening");
  t.match(lines, [
    /^\d\d:\d\d:\d\d\.\d{3} {2}info {3}service\.ready {2}listening {2}url=http:\/\/127\.0\.0\.1:1 {2}note="two words"\n$/,
  ]);
});

t.test("the text format shows an error's stack on lines of its own", async (t) => {
  const { logger, lines } = captureLog({ level: "info", format: "text" });
  logger.error({ event: "x", err: new Error("boom") }, "failed");
  t.match(lines.join(""), /x {2}failed\n {4}Error: boom\n {8}at /);
});

t.test("the text format leaves nothing for a terminal to obey, and a record one line", async (t) => {
  const hostile = "a\u001b]0;title\u0007\r\nb\u009b2J\u2028\u202egnol\u007f";
  for (const [where, fields] of Object.entries({
    event: { event: hostile },
    field: { event: "x", field: hostile },
    "bare field": { event: "x", field: "\u001b[2J" },
    name: { event: "x", [hostile]: 1 },
    "nested field": { event: "x", deep: { [hostile]: [hostile] } },
  })) {
    const { logger, lines } = captureLog({ level: "info", format: "text" });
    logger.info(fields, hostile);
    t.match(lines.join(""), /^[\x20-\x7e]+\n$/, where);
  }
  const { logger, lines } = captureLog({ level: "info", format: "text" });
  logger.error({ event: "x", err: new Error(hostile) }, "failed");
  t.match(lines.join(""), /^(?:[\x20-\x7e]+\n)+$/);
});
