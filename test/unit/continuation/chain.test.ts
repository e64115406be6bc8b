import t from "tap";
import { maxChainDepth, readChain } from "../../../src/main/continuation/chain.js";
import type {
  CodexNativeApiContinuationRegistry,
  ContinuationRecord,
} from "../../../src/main/continuation/types.js";
import { LoopShare } from "../../../src/workers/contract/pace.js";
import { createRecord, createRegistry, epochMs, identity, message, rejection } from "./fixtures.js";

const now = epochMs;
const reading = [now, new LoopShare().start()] as const;
const ids = (records: readonly ContinuationRecord[]) => records.map(({ responseId }) => responseId);
const asksAndAnswers = (...names: readonly string[]) =>
  names.flatMap((name) => [message("user", `asks ${name}`), message("assistant", `answers ${name}`)]);

t.test("a chain is read oldest first, each response's input before its output", async (t) => {
  const { registry } = createRegistry();
  const reasoning = { type: "reasoning", id: "rs_1", encrypted_content: "sealed", summary: [] };
  await registry.put(createRecord("a", { outputItems: [reasoning, message("assistant", "answers a")] }));
  await registry.put(createRecord("b", { previousResponseId: "a" }));
  await registry.put(createRecord("c", { previousResponseId: "b" }));
  const chain = await readChain(registry, "c", identity, ...reading);
  t.strictSame(ids(chain.records), ["a", "b", "c"]);
  t.equal(chain.head.responseId, "c");
  t.strictSame(
    [...chain.items],
    [message("user", "asks a"), reasoning, message("assistant", "answers a"), ...asksAndAnswers("b", "c")],
  );
});

t.test("two children of one parent each see exactly their own history", async (t) => {
  const { registry } = createRegistry();
  await registry.put(createRecord("root"));
  await registry.put(createRecord("parent", { previousResponseId: "root" }));
  await registry.put(createRecord("left", { previousResponseId: "parent" }));
  await registry.put(createRecord("right", { previousResponseId: "parent" }));
  await registry.put(createRecord("left_2", { previousResponseId: "left" }));
  const read = async (id: string) => [...(await readChain(registry, id, identity, ...reading)).items];
  t.strictSame(await read("left_2"), asksAndAnswers("root", "parent", "left", "left_2"));
  t.strictSame(await read("right"), asksAndAnswers("root", "parent", "right"));
  t.strictSame(await read("parent"), asksAndAnswers("root", "parent"));
});

t.test("an unknown response is not found", async (t) => {
  const { registry } = createRegistry();
  const error = await rejection(readChain(registry, "resp_x", identity, ...reading));
  t.match(error, { code: "continuation_not_found", status: 404, param: "previous_response_id" });
  t.equal(error.message, "Previous response with id 'resp_x' not found.", "OpenAI's sentence, to the letter");
  const long = await rejection(readChain(registry, "x".repeat(4096), identity, ...reading));
  t.equal(long.message, `Previous response with id '${"x".repeat(256)}' not found.`);
});

t.test("an expired, an evicted and an oversized response are expired, each in its words", async (t) => {
  const { registry, pass } = createRegistry({ ttlMs: 1000, maxEntries: 1, maxBytes: 2000 });
  const failure = () => rejection(readChain(registry, "a", identity, ...reading));
  await registry.put(createRecord("a"));
  pass(1000);
  const gone = { code: "continuation_expired", status: 410, param: "previous_response_id" };
  const sentence = "Previous response with id 'a' not found. Response 'a' was";
  const unused = await failure();
  t.match(unused, { ...gone, message: /'a' was not used for too long/ });
  t.ok(unused.message.startsWith(sentence), "and with OpenAI's sentence first, for who looks for that");
  await registry.put(createRecord("a"));
  await registry.put(createRecord("b"));
  t.match(await failure(), { ...gone, message: /'a' was dropped to make room/ });
  await registry.put(createRecord("a", { response: { text: "x".repeat(2000) } }));
  t.match(await failure(), { ...gone, message: /'a' was too large/ });
});

t.test("a chain with a hole is expired and says which response is missing", async (t) => {
  const { registry, pass } = createRegistry({ ttlMs: 1000 });
  await registry.put(createRecord("a"));
  await registry.put(createRecord("b", { previousResponseId: "a" }));
  pass(600);
  // Read by itself, the end of a chain does not keep its beginning.
  await registry.get("b");
  pass(400);
  const error = await rejection(readChain(registry, "b", identity, ...reading));
  t.match(error, { code: "continuation_expired", message: /'b' builds on response 'a', which was not used/ });
});

t.test("what descends from a deleted response can be read but not continued", async (t) => {
  const { registry } = createRegistry();
  await registry.put(createRecord("a"));
  await registry.put(createRecord("b", { previousResponseId: "a" }));
  await registry.put(createRecord("c", { previousResponseId: "b" }));
  await registry.delete("b");
  const descendant = await rejection(readChain(registry, "c", identity, ...reading));
  t.match(descendant, {
    code: "continuation_expired",
    message: /'c' builds on response 'b', which was deleted/,
  });
  t.match(await rejection(readChain(registry, "b", identity, ...reading)), {
    code: "continuation_not_found",
  });
  t.equal((await registry.get("c")).status, "found");
  t.strictSame(ids((await readChain(registry, "a", identity, ...reading)).records), ["a"]);
});

t.test("reading a chain keeps all of it alive, and nothing of other branches", async (t) => {
  const { registry, pass } = createRegistry({ ttlMs: 1000 });
  await registry.put(createRecord("root"));
  await registry.put(createRecord("left", { previousResponseId: "root" }));
  await registry.put(createRecord("right", { previousResponseId: "root" }));
  pass(999);
  await readChain(registry, "left", identity, ...reading);
  pass(999);
  t.strictSame(ids((await readChain(registry, "left", identity, ...reading)).records), ["root", "left"]);
  t.equal(await registry.has("right"), false);
});

t.test("when room is short a chain loses its end before its beginning", async (t) => {
  const { registry } = createRegistry({ maxEntries: 3 });
  await registry.put(createRecord("a"));
  await registry.put(createRecord("b", { previousResponseId: "a" }));
  await registry.put(createRecord("c", { previousResponseId: "b" }));
  await readChain(registry, "c", identity, ...reading);
  await registry.put(createRecord("other"));
  t.strictSame(ids((await readChain(registry, "b", identity, ...reading)).records), ["a", "b"]);
});

t.test("a chain of another provider profile or account is refused", async (t) => {
  const { registry } = createRegistry();
  await registry.put(createRecord("a"));
  const failure = (changes: object) =>
    rejection(readChain(registry, "a", { ...identity, ...changes }, ...reading));
  const conflict = { status: 409, param: "previous_response_id" };
  t.match(await failure({ providerProfileId: "azure" }), {
    ...conflict,
    code: "continuation_provider_mismatch",
  });
  t.match(await failure({ accountId: "acct_2" }), { ...conflict, code: "continuation_account_mismatch" });
  t.match(await failure({ accountId: null }), { ...conflict, code: "continuation_account_mismatch" });
  t.match(await failure({ providerProfileId: "azure", accountId: "acct_2" }), {
    code: "continuation_provider_mismatch",
  });
});

t.test("no account on both sides is the same account", async (t) => {
  const { registry } = createRegistry();
  await registry.put(createRecord("a", { activeAccountId: null }));
  const chain = await readChain(registry, "a", { ...identity, accountId: null }, ...reading);
  t.strictSame(ids(chain.records), ["a"]);
});

t.test("an ancestor of another account is refused, although the last response is ours", async (t) => {
  const { registry } = createRegistry();
  await registry.put(createRecord("a", { activeAccountId: "acct_2" }));
  await registry.put(createRecord("b", { previousResponseId: "a" }));
  const error = await rejection(readChain(registry, "b", identity, ...reading));
  t.match(error, { code: "continuation_account_mismatch", message: /'a' belongs to another/ });
});

t.test("a circle of responses ends with an error", async (t) => {
  const { registry } = createRegistry();
  await registry.put(createRecord("a", { previousResponseId: "c" }));
  await registry.put(createRecord("b", { previousResponseId: "a" }));
  await registry.put(createRecord("c", { previousResponseId: "b" }));
  t.match(await rejection(readChain(registry, "c", identity, ...reading)), { code: "internal_error" });
  await registry.put(createRecord("self", { previousResponseId: "self" }));
  t.match(await rejection(readChain(registry, "self", identity, ...reading)), { code: "internal_error" });
});

t.test("a chain may be as deep as its bound and no deeper", async (t) => {
  const { registry } = createRegistry();
  const depth = maxChainDepth;
  for (let index = 0; index <= depth; index += 1) {
    const previousResponseId = index === 0 ? null : `resp_${index - 1}`;
    await registry.put(createRecord(`resp_${index}`, { previousResponseId }));
  }
  const chain = await readChain(registry, `resp_${depth - 1}`, identity, ...reading);
  t.equal(chain.records.length, depth);
  const error = await rejection(readChain(registry, `resp_${depth}`, identity, ...reading));
  t.match(error, { code: "invalid_request", param: "previous_response_id" });
});

t.test("what a host's registry keeps beyond its time is expired all the same", async (t) => {
  const record = { ...createRecord("a"), lastUsedAt: now - 1000, expiresAt: now };
  const unused = () => Promise.reject(new Error("not to be called"));
  const registry: CodexNativeApiContinuationRegistry = {
    get: async () => ({ status: "found", record }),
    put: unused,
    has: unused,
    delete: unused,
    stats: () => ({ kind: "host", persistence: "external", ttlMs: 1000, entries: 1, bytes: 0 }),
  };
  t.match(await rejection(readChain(registry, "a", identity, ...reading)), { code: "continuation_expired" });
  t.match(await readChain(registry, "a", identity, now - 1, reading[1]), {
    head: { responseId: "a" },
  });
});
