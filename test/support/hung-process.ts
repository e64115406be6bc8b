/** A process that is alive, with its sockets open, and silent; and what a service says of itself meanwhile. */
import type { Test } from "tap";

/** Stops it (SIGSTOP) until the returned function is called, or to the end of the test. */
export function stopProcess(t: Pick<Test, "teardown">, pid: number): () => void {
  process.kill(pid, "SIGSTOP");
  const goOn = () => {
    try {
      process.kill(pid, "SIGCONT");
    } catch {
      // It was replaced.
    }
  };
  // Before the harness ends it: a stopped process would sit out the whole stop ladder.
  t.teardown(goOn);
  return goOn;
}

/** Asks `/readyz` over and over until the returned function is called, which says for how long in all it was 200. */
export function watchReadiness(url: string): () => Promise<number> {
  let readyMs = 0;
  let over = false;
  const watching = (async () => {
    let askedAtMs = performance.now();
    while (!over) {
      const { status } = await fetch(`${url}/readyz`);
      const now = performance.now();
      if (status === 200) readyMs += now - askedAtMs;
      askedAtMs = now;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return async () => {
    over = true;
    await watching;
    return readyMs;
  };
}
