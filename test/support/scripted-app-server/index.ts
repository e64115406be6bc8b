export { attachRuntime } from "./attach-runtime.js";
export { runTurn, type TurnSeen } from "./run-turn.js";
export {
  overloaded,
  ScriptedAppServer,
  type ScriptedCall,
  type ScriptedClient,
  type TurnScript,
  unanswered,
} from "./scripted-app-server.js";
export { ScriptedTurn, speak } from "./scripted-turn.js";
