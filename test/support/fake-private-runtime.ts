import type { PrivateRuntime } from "../../src/main/cli/private-runtime.js";
import { FakeRuntime } from "./fake-runtime.js";

/** A runtime of the command's own in the test's hands, and what became of it. */
export class FakePrivateRuntime extends FakeRuntime implements PrivateRuntime {
  readonly calls: string[] = [];

  async start() {
    this.calls.push("start");
    return this.health().readiness;
  }

  async close(): Promise<void> {
    this.calls.push("close");
  }

  async destroy(): Promise<void> {
    this.calls.push("destroy");
  }
}
