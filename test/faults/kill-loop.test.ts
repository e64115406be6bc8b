import t from "tap";
import { CodexNativeApiError } from "../../src/main/errors.js";
import { textInDeltas } from "../support/offline-backend/index.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

// On a machine with other work it takes its time; what is tried does not depend on that.
t.setTimeout(900_000);

interface Outcome {
  readonly status: string;
  readonly emitted: boolean;
  /** For whoever reads a failure of this test. */
  readonly message?: string;
}

const requests = 2000;
const atOnce = 32;
/** Fewer than the restarts allowed in a minute. */
const kills = 7;

t.test(
  "2,000 turns while the app-server is killed again and again: each has one outcome, none hangs",
  { timeout: 900_000 },
  async (t) => {
    const { backend, runtime } = await createRuntimeHarness(t, { backend: { maxRecorded: 0 } });
    backend.setDefaultReply(textInDeltas("0123456789", 5, 10));
    t.same(await runtime.start(), { ready: true });
    const outcomes: Outcome[] = [];
    const recoveriesMs: number[] = [];
    let started = 0;

    async function caller(): Promise<void> {
      while (started < requests) {
        started += 1;
        outcomes.push(await runOne());
      }
    }

    async function runOne(): Promise<Outcome> {
      let emitted = false;
      try {
        const { outcome } = await runtime.runIsolatedTurn(
          { items: [userMessage("hello")] },
          {
            // Whatever a stream would have shown, be it only that a message begins.
            onEvent: () => {
              emitted = true;
            },
          },
        );
        return { status: outcome.status, emitted };
      } catch (error) {
        const status = error instanceof CodexNativeApiError ? error.code : String(error);
        return { status, emitted, message: String(error) };
      }
    }

    /** Kills at even distances of the work and not of the clock, so that each kill meets turns under way. */
    async function killer(): Promise<void> {
      for (let kill = 1; kill <= kills; kill += 1) {
        await pollUntil(() => outcomes.length >= (requests / (kills + 1)) * kill, 120_000);
        const pid = runtime.health().appServer?.pid ?? 0;
        const killedAtMs = performance.now();
        process.kill(pid, "SIGKILL");
        await pollUntil(() => runtime.readiness.ready && runtime.health().appServer?.pid !== pid, 30_000);
        recoveriesMs.push(performance.now() - killedAtMs);
      }
    }

    await Promise.all([killer(), ...Array.from({ length: atOnce }, caller)]);
    t.equal(outcomes.length, requests, "each has exactly one outcome");
    const failed = outcomes.filter(({ status }) => status !== "completed");
    t.same(
      failed.filter(({ emitted }) => !emitted),
      [],
      "those that had shown nothing succeed",
    );
    t.same(
      failed.filter(({ status }) => status !== "native_runtime_unavailable"),
      [],
      "the others end with a typed error",
    );
    t.comment(`recovered after ${recoveriesMs.map(Math.round).join(", ")} ms; ${failed.length} turns cut`);
    t.match(runtime.health().queue, { depth: 0, running: 0 });
  },
);
