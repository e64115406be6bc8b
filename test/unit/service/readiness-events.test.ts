import t from "tap";
import { EventListeners } from "../../../src/main/observability/event-listeners.js";
import type { NativeAccount, Readiness } from "../../../src/main/runtime/types.js";
import { ReadinessEvents, type WatchedRuntime } from "../../../src/main/service/readiness-events.js";
import type { CodexNativeApiServiceEvents } from "../../../src/main/service/service-events.js";
import { readyHealth } from "../../support/fake-runtime.js";

class ScriptedRuntime implements WatchedRuntime {
  readiness: Readiness = notReady("Codex is starting.");
  recovering = true;
  account: NativeAccount | null = null;
  #listener: (() => void) | null = null;

  health() {
    return { ...readyHealth, account: this.account };
  }

  onReadinessChange(listener: () => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = null;
    };
  }

  say(change: Partial<Pick<ScriptedRuntime, "readiness" | "recovering" | "account">>): void {
    Object.assign(this, change);
    this.#listener?.();
  }
}

function notReady(message: string): Readiness {
  return { ready: false, error: { code: "native_runtime_unavailable", message } };
}

const ada = { id: "a1", email: "ada@example.test", plan: "plus", authMode: "chatgpt" };

function watch() {
  const events = new EventListeners<CodexNativeApiServiceEvents>(() => {});
  const told: string[] = [];
  events.on("ready", ({ account }) => told.push(`ready ${account?.id ?? "nobody"}`));
  events.on("unavailable", ({ message, recovering }) =>
    told.push(`${recovering ? "waits" : "stuck"}: ${message}`),
  );
  events.on("accountChanged", ({ previous, current }) => {
    told.push(`${previous?.id ?? "nobody"} -> ${current?.id ?? "nobody"}`);
  });
  const runtime = new ScriptedRuntime();
  const readiness = new ReadinessEvents(runtime, events);
  return { runtime, readiness, events, told };
}

t.test("the first start is silent until it is ready, and the account comes first", async (t) => {
  const { runtime, readiness, told } = watch();
  readiness.start();
  runtime.say({ readiness: notReady("Still starting.") });
  runtime.say({ readiness: { ready: true }, recovering: false, account: ada });
  runtime.say({});
  t.strictSame(told, ["nobody -> a1", "ready a1"]);
});

t.test("each reason for not being ready is told once, and so is the way back", async (t) => {
  const { runtime, readiness, told } = watch();
  runtime.say({ readiness: { ready: true }, recovering: false, account: ada });
  readiness.start();
  told.length = 0;
  runtime.say({ readiness: notReady("It died."), recovering: true });
  runtime.say({ readiness: notReady("It died."), recovering: true });
  runtime.say({ readiness: notReady("It does not start."), recovering: false });
  runtime.say({ readiness: { ready: true } });
  t.strictSame(told, ["waits: It died.", "stuck: It does not start.", "ready a1"]);
});

t.test("a start that is stuck is told although nothing was ready before", async (t) => {
  const { runtime, readiness, told } = watch();
  runtime.say({ readiness: notReady("No binary."), recovering: false });
  readiness.start();
  t.strictSame(told, ["stuck: No binary."]);
});

t.test("another account, another plan and nobody are changes; the same again is none", async (t) => {
  const { runtime, readiness, told } = watch();
  runtime.say({ readiness: { ready: true }, recovering: false, account: ada });
  readiness.start();
  told.length = 0;
  runtime.say({ account: { ...ada } });
  runtime.say({ account: { ...ada, plan: "pro" } });
  runtime.say({ account: { ...ada, id: "b2" } });
  runtime.say({ account: null });
  t.strictSame(told, ["a1 -> a1", "a1 -> b2", "b2 -> nobody"]);
});

t.test("a listener that closes it hears nothing more", async (t) => {
  const { runtime, readiness, events, told } = watch();
  readiness.start();
  events.on("accountChanged", () => readiness.close());
  runtime.say({ readiness: { ready: true }, recovering: false, account: ada });
  runtime.say({ account: null });
  t.strictSame(told, ["nobody -> a1"]);
});
