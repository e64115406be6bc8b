/** The model of a soak: what it answers depends on what it is asked, so that all phases share it. */
import { decide, isDecision } from "../support/offline-backend/decisions.js";
import {
  delayed,
  functionCall,
  lastUserText,
  type ReplySource,
  reply,
  textInDeltas,
} from "../support/offline-backend/index.js";
import { slowQuestion } from "./app-server-faults.js";
import { answerBadly } from "./backend-faults.js";
import { longAnswer } from "./bad-callers.js";
import { weatherQuestion } from "./normal-callers.js";

export function answerAsModel(): ReplySource {
  // Made once: the process of the model is also the callers', and what it computes they wait for.
  const long = textInDeltas("words and words ".repeat(60_000), 200);
  const short = textInDeltas("a few words of an answer", 6, 15);
  const slow = delayed(6_000, short);
  return (request) => {
    if (isDecision(request)) return decide(request);
    const said = lastUserText(request) ?? "";
    if (said === longAnswer) return long;
    if (said.startsWith(slowQuestion)) return slow;
    if (said === weatherQuestion && request.fullInput.length === 1) {
      const callId = `call_${request.index}`;
      return reply(functionCall({ name: "weather", arguments: '{"city":"Rome"}', callId }));
    }
    return answerBadly(said) ?? short;
  };
}
