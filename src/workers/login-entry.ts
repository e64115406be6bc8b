/** The thread of one login: its data is the task, its port the way to cancel it. */
import { parentPort, workerData } from "node:worker_threads";
import type { LoginInput, LoginOutput, LoginTask } from "./contract/login-messages.js";
import { runDeviceLogin } from "./device-login.js";

const port = parentPort;
if (port !== null) {
  const abort = new AbortController();
  // Both sides are ours and of one build.
  const task = workerData as LoginTask;
  const post = (message: LoginOutput): void => port.postMessage(message);
  port.on("message", (message: LoginInput) => {
    if (message.type === "cancel") abort.abort();
  });
  const outcome = await runDeviceLogin(task, abort.signal, (code) => post({ type: "code", code }));
  post({ type: "ended", outcome });
  port.close();
}
