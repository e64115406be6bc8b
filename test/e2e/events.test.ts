/** `GET /v1/events` of a whole service, with a real app-server. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { Agent } from "undici";
import { commandEnvironment, prepareLogin, ServeProcess } from "../support/cli-harness.js";
import { openStream } from "../support/http-fixture.js";
import { startServiceHarness } from "../support/service-harness.js";

t.test("a reader sees the service become ready, and a request from its start to its end", async (t) => {
  const { url, client, untilReady } = await startServiceHarness(t);
  const agent = new Agent();
  t.teardown(() => agent.destroy());
  const reader = await openStream({ url, agent }, "/v1/events");
  const first = await reader.next("state");
  t.match(first.data, { object: "state", turns: { running: 0, waiting: 0, parked: 0 } });
  await untilReady();
  let state = first.data;
  while (state.ready !== true || state.account === null) state = (await reader.next("state")).data;
  t.match(state, {
    reason: null,
    account: { type: "chatgpt", plan: "pro" },
    codex_version: /^\d+\.\d+\.\d+$/,
    app_server_generation: 1,
  });
  const answer = await client.responses.create({ input: "hello" });
  const started = await reader.next("request.started");
  t.match(started.data, { object: "request", route: "/v1/responses", outcome: null, content: null });
  const ended = await reader.next("request.ended");
  t.match(ended.data, {
    id: started.data.id,
    state: "ended",
    status: 200,
    outcome: "completed",
    response_id: answer.id,
    thread: { worker_id: /./, app_server_generation: 1 },
  });
  reader.leave();
});

const secrets = { ada: "token-of-ada-123456", bob: "token-of-bob-123456" } as const;

t.test("a named token sees its own requests, and loses its stream with the token", async (t) => {
  const { root, backend } = await prepareLogin(t);
  const config = join(root, "config.json");
  const configure = (...names: readonly (keyof typeof secrets)[]) =>
    writeFile(
      config,
      JSON.stringify({ auth: { tokens: names.map((name) => ({ name, token: secrets[name] })) } }),
      {
        mode: 0o600,
      },
    );
  await configure("ada", "bob");
  const serve = new ServeProcess(t, {
    ...commandEnvironment(root, backend),
    CODEX_NATIVE_API_CONFIG: config,
  });
  const url = String((await serve.waitFor("service.listening")).url);
  await serve.waitFor("codex.ready");
  const agent = new Agent();
  t.teardown(() => agent.destroy());
  const bearer = (name: keyof typeof secrets) => ({ authorization: `Bearer ${secrets[name]}` });
  const [ada, bob] = [
    await openStream({ url, agent }, "/v1/events", { headers: bearer("ada") }),
    await openStream({ url, agent }, "/v1/events", { headers: bearer("bob") }),
  ];
  for (const name of ["bob", "ada"] as const) {
    const answer = await fetch(`${url}/v1/responses`, {
      method: "POST",
      headers: { ...bearer(name), "content-type": "application/json" },
      body: JSON.stringify({ input: `of ${name}` }),
    });
    t.equal(answer.status, 200);
  }
  t.match((await ada.next("request.started")).data, { caller: "ada" });
  t.match((await bob.next("request.started")).data, { caller: "bob" });
  t.match((await bob.next("request.ended")).data, { caller: "bob", outcome: "completed" });
  await configure("bob");
  serve.child.kill("SIGHUP");
  for (const { event, data } of await ada.rest()) if (event !== "state") t.equal(data.caller, "ada");
  t.equal((await fetch(`${url}/v1/events`, { headers: bearer("ada") })).status, 401);
  bob.leave();
});
