import t from "tap";
import { createId, requestIdOf } from "../../../src/main/http/request-id.js";

t.test("a sane id of the caller's is kept", async (t) => {
  for (const id of ["abc", "req_0123", "a-b.c:d", "x".repeat(128)])
    t.equal(requestIdOf({ "x-request-id": id }), id);
});

t.test("anything else gets a new one", async (t) => {
  for (const id of ["", "a b", "a\nb", "x".repeat(129), "<script>", "é"]) {
    t.match(requestIdOf({ "x-request-id": id }), /^req_[0-9a-f]{32}$/);
  }
  t.match(requestIdOf({}), /^req_/);
});

t.test("ids bear their kind and never come twice", async (t) => {
  t.match(createId("resp"), /^resp_[0-9a-f]{32}$/);
  t.not(createId("resp"), createId("resp"));
});
