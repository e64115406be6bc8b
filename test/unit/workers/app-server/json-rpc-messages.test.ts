import t from "tap";
import { readJsonRpcMessage } from "../../../../src/workers/app-server/json-rpc-messages.js";

t.test("messages are told apart by their keys, and id 0 and the empty id are ids", async (t) => {
  t.strictSame(readJsonRpcMessage('{"method":"m","params":{"a":1}}'), {
    kind: "notification",
    method: "m",
    params: { a: 1 },
  });
  t.strictSame(readJsonRpcMessage('{"id":0,"method":"m"}'), {
    kind: "request",
    id: 0,
    method: "m",
    params: undefined,
  });
  t.match(readJsonRpcMessage('{"id":"","method":"m"}'), { kind: "request", id: "" });
  t.strictSame(readJsonRpcMessage('{"id":0,"result":null}'), { kind: "result", id: 0, result: null });
  t.match(readJsonRpcMessage('{"id":0,"error":{"code":-32001,"message":"busy"}}'), {
    kind: "error",
    id: 0,
    error: { code: -32001, message: "busy" },
  });
});

t.test("what is not JSON and what is no message are faults of their own", async (t) => {
  for (const text of ["", "{", "plain words", '{"id":1']) {
    t.strictSame(readJsonRpcMessage(text), { kind: "fault", fault: "message_not_json" }, text);
  }
  const unshaped = [
    "null",
    "1",
    "[]",
    "{}",
    '{"id":1}',
    '{"id":null,"result":1}',
    '{"id":{},"method":"m"}',
    '{"id":1,"error":"no"}',
    '{"id":1,"error":{"message":"no code"}}',
  ];
  for (const text of unshaped) {
    t.strictSame(readJsonRpcMessage(text), { kind: "fault", fault: "message_unshaped" }, text);
  }
});
