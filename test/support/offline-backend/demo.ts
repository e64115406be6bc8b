/** The model of `codex-native-api demo`, which loads this file's bundle: the backend, and a Codex home that is logged in there. */
import { decide, isDecision } from "./decisions.js";
import { createChatGptLogin } from "./login.js";
import { OfflineBackend } from "./offline-backend.js";
import { lastUserText } from "./recorded-request.js";
import { textInDeltas } from "./reply-builders.js";

const welcome =
  "Hello! This answer was streamed by an offline model, through the real codex app-server, a worker thread and HTTP.";

/** How long an answer takes to be written, so that one sees it stream. */
const streamMs = 800;
const deltas = 20;

/** `home` becomes the Codex home. `environment` is what Codex needs beside it. */
export async function startDemoModel(home: string) {
  const backend = await OfflineBackend.start({ unknownRoutes: "any", maxRecorded: 0 });
  backend.setDefaultReply((request) => {
    if (isDecision(request)) return decide(request);
    const said = lastUserText(request);
    const answer =
      said === "hello" ? welcome : `The offline model has no thoughts of its own. You said: ${said}`;
    return textInDeltas(answer, deltas, streamMs / deltas);
  });
  await createChatGptLogin({ home, backend, email: "demo@example.com" });
  return { environment: backend.environment(), close: () => backend.close() };
}
