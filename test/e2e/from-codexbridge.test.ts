/** examples/from-codexbridge, built and used as CodexBridge builds and uses the class of its own package. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { createNativeApi } from "../../examples/from-codexbridge/native-api-service.js";
import { testCodexBin } from "../support/codex-version.js";
import { createChatGptLogin, OfflineBackend, text } from "../support/offline-backend/index.js";
import { makeTemporaryDirectory, refuseLeftovers } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";
import { seenInput } from "../support/upstream-forms.js";

/** What a host of the bridge's relies on. */
interface NativeApiOfBridge {
  readonly baseUrl: string;
  describeBinding(): Binding;
  start(): Promise<Binding>;
  stop(): Promise<void>;
}

interface Binding {
  readonly providerProfileId: string;
  readonly providerKind: string;
  readonly providerDisplayName: string;
  readonly authPath: string | null;
}

/** All that the bridge gives, with null for what it does not know. */
function hostOptions(env: NodeJS.ProcessEnv, authPath: string | null) {
  return {
    providerProfiles: { get: () => null, list: () => [] },
    providerRegistry: { getProvider: () => ({ kind: "openai-native" }) },
    defaultProviderProfileId: "openai-default",
    providerProfileId: null,
    authPath,
    env,
    host: "127.0.0.1",
    port: 0,
    authToken: "a-token-of-the-bridge",
    defaultModel: null,
    defaultCwd: "/srv/bridge",
    defaultLocale: "en",
    requestTitlePrefix: "Codex Native API",
  };
}

/** A side task as the bridge's router sends it: what it does not know is left out or null. */
const sideTask = {
  input: "Classify: open the garage",
  reasoning: { effort: "low" },
  metadata: {
    cwd: "/srv/bridge",
    locale: null,
    codexbridge: {
      taskClass: "intent_classification",
      eventMetadata: { developerPromptContext: { mode: "event-mark" } },
      threadMetadata: { sourcePlatform: "thread-mark" },
    },
  },
};

t.test("the bridge's host starts it, reads its binding, sends side tasks and stops it", async (t) => {
  const root = await makeTemporaryDirectory(t);
  const backend = await OfflineBackend.start();
  t.teardown(() => backend.close());
  backend.setDefaultReply(text("command"));
  const home = join(root, "codex");
  await createChatGptLogin({ home, backend });
  const warnings: string[] = [];
  const onWarning = ({ message }: Error) => warnings.push(message);
  process.on("warning", onWarning);
  t.teardown(() => process.off("warning", onWarning));
  const env = {
    ...backend.environment(),
    HOME: root,
    PATH: "/usr/bin:/bin",
    CODEX_NATIVE_API_ENABLE: "yes",
    CODEX_NATIVE_API_PUBLIC: "1",
    CODEX_NATIVE_API_STATE_DIR: join(root, "state"),
    CODEX_NATIVE_API_TITLE_PREFIX: "Bridge",
    ...(testCodexBin !== null && { CODEX_REAL_BIN: testCodexBin }),
  };
  const authPath = join(home, "auth.json");
  const nativeApi: NativeApiOfBridge = createNativeApi(hostOptions(env, authPath));
  t.teardown(async () => {
    await nativeApi.stop();
    await refuseLeftovers(root);
  });

  const binding = await nativeApi.start();
  t.strictSame(binding, {
    providerProfileId: "openai-default",
    providerKind: "openai-native",
    providerDisplayName: "Codex",
    authPath,
  });
  t.strictSame(nativeApi.describeBinding(), binding);
  const url = nativeApi.baseUrl;
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+$/, "PUBLIC opens nothing");
  t.match(warnings, [/^CODEX_NATIVE_API_PUBLIC, CODEX_NATIVE_API_TITLE_PREFIX have no effect/]);
  await pollUntil(async () => (await fetch(`${url}/readyz`)).status === 200);

  const send = (token: string) =>
    fetch(`${url}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(sideTask),
    });
  t.equal((await send("another-token-than-that")).status, 401, "on which the bridge asks its own runtime");
  const answer = await send("a-token-of-the-bridge");
  t.equal(answer.status, 200);
  const body = JSON.parse(await answer.text());
  t.match(body, {
    id: /^resp_/,
    status: "completed",
    output: [{ content: [{ text: "command" }] }],
    metadata: { cwd: "/srv/bridge" },
    native_runtime: {
      thread_id: /./,
      turn_id: /./,
      bridge_session_id: /./,
      provider_profile_id: "openai-default",
    },
  });
  t.strictSame(body.native_api.ignored_parameters, ["metadata.cwd"]);
  const seen = JSON.stringify(seenInput(backend.requests.at(-1)));
  t.match(seen, /open the garage/);
  t.notMatch(seen, /event-mark|thread-mark|srv/, "nothing of the metadata reaches the model");

  await Promise.all([nativeApi.stop(), nativeApi.stop()]);
  await t.rejects(fetch(`${url}/livez`), "nothing listens any more");
});

t.test("faults of the bridge's options and environment are told at once, by name", async (t) => {
  const make = (changes: object, env: NodeJS.ProcessEnv = {}) =>
    createNativeApi({ ...hostOptions({ HOME: "/nowhere", ...env }, null), ...changes });
  t.throws(() => make({ port: 99_999 }, { CODEX_NATIVE_API_PROT: "1" }), {
    message: /(?=.*listen\.port)(?=.*CODEX_NATIVE_API_PROT)/s,
  });
  t.throws(() => make({ host: "0.0.0.0", authToken: "" }), /reachable from other machines/);
  t.throws(() => make({ authPath: "/data/login.json" }), /AUTH_PATH: "\/data\/login\.json" is not allowed/);
});

t.test("it has fewer than 25 lines, as its page says", async (t) => {
  const source = await readFile("examples/from-codexbridge/native-api-service.ts", "utf8");
  const lines = source
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^(import |\/\/|\/?\*| \*)/.test(line));
  t.ok(lines.length < 25, `${lines.length} lines`);
});
