/** A router with real listeners in place of the service and the provider, and a runtime played by hand. */
import type { ServerResponse } from "node:http";
import type { Test } from "tap";
import { CodexNativeApiSideTaskRouter } from "../../src/main/side-tasks/router.js";
import type { CodexNativeApiSideTaskRouterOptions } from "../../src/main/side-tasks/router-options.js";
import { CodexNativeApiSideTaskError } from "../../src/main/side-tasks/side-task-error.js";
import { sideTaskClasses } from "../../src/main/side-tasks/task-classes.js";
import { FakeRuntime, type FakeScript, fakeUsage, messageItem } from "./fake-runtime.js";
import { type ListenerScript, ScriptedListener, sendJson } from "./scripted-listener.js";

export interface SideTaskHarness {
  readonly router: CodexNativeApiSideTaskRouter;
  readonly api: ScriptedListener;
  readonly runtime: FakeRuntime;
  readonly provider: ScriptedListener;
  /** Moves the router's clock. Its timers go by the real one. */
  readonly pass: (ms: number) => void;
}

export type SideTaskHarnessOptions = Partial<CodexNativeApiSideTaskRouterOptions> & {
  readonly api?: ListenerScript;
  readonly direct?: FakeScript;
  readonly provider?: ListenerScript;
};

export async function startSideTaskHarness(
  t: Pick<Test, "teardown">,
  options: SideTaskHarnessOptions = {},
): Promise<SideTaskHarness> {
  const { api: apiScript, direct, provider: providerScript, ...rest } = options;
  const api = await ScriptedListener.start(t, apiScript ?? respond("from the service"));
  const provider = await ScriptedListener.start(t, providerScript ?? complete("from the provider"));
  const runtime = new FakeRuntime();
  runtime.script = direct ?? answerDirectly("from the runtime");
  let passedMs = 0;
  const router = new CodexNativeApiSideTaskRouter({
    settings: {
      localApi: {
        baseUrl: api.url,
        authToken: "secret-token",
        taskClasses: sideTaskClasses,
        timeoutMs: null,
      },
      external: { baseUrl: `${provider.url}/v1`, apiKey: "provider-key", model: "provider-model" },
    },
    runtime,
    now: () => performance.now() + passedMs,
    ...rest,
  });
  t.teardown(() => router.destroy());
  const pass = (ms: number): void => {
    passedMs += ms;
  };
  return { router, api, runtime, provider, pass };
}

/** The service's answer, with the output items of a real one. */
export function respond(text: string, changes: object = {}): ListenerScript {
  return (request, response) => {
    const metadata = request.body.metadata ?? {};
    sendJson(response, 200, { ...responseObject([messageItem("msg_1", text)]), metadata, ...changes });
  };
}

export function responseObject(output: readonly object[]): object {
  return {
    id: "resp_1",
    object: "response",
    status: "completed",
    model: "gpt-native",
    output,
    error: null,
    incomplete_details: null,
    usage: {
      input_tokens: 5,
      input_tokens_details: { cached_tokens: 1, cache_write_tokens: 4 },
      output_tokens: 3,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 8,
    },
    native_api: {
      route_path: "/v1/responses",
      request_target: {
        provider_profile_id: "openai-default",
        provider_kind: "openai-native",
        account_id: "acct_1",
        worker_id: "worker-1",
        app_server_generation: 2,
        task_class: "normalization",
      },
      response_mapping: { response_id: "resp_1", native_thread_id: "thread_9", native_turn_id: "turn_9" },
    },
  };
}

/** The provider's answer. */
export function complete(text: string, choice: object = {}): ListenerScript {
  return (_request, response: ServerResponse) =>
    sendJson(response, 200, {
      id: "chatcmpl_1",
      object: "chat.completion",
      model: "provider-model-2026",
      choices: [
        { index: 0, finish_reason: "stop", message: { role: "assistant", content: text }, ...choice },
      ],
      usage: { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 },
    });
}

/** The provider's answer in whichever dialect it is asked. */
export function answerInDialect(text: string): ListenerScript {
  return (request, response) => {
    if (!request.path.endsWith("/responses")) return complete(text)(request, response);
    const content = [{ type: "output_text", text, annotations: [] }];
    const output = [{ type: "message", role: "assistant", status: "completed", content }];
    sendJson(response, 200, { id: "resp_7", object: "response", status: "completed", model: "m", output });
  };
}

export function answerDirectly(text: string): FakeScript {
  return async (turn) => {
    turn.start();
    await turn.emitText("msg_1", [text]);
    await turn.emit({ type: "model_call.completed", usage: fakeUsage });
    return turn.result();
  };
}

export async function failureOf(task: Promise<unknown>): Promise<CodexNativeApiSideTaskError> {
  const error: unknown = await task.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof CodexNativeApiSideTaskError) return error;
  throw new Error(`not a side-task error: ${String(error)}`);
}
