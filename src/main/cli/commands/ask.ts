import { options } from "../../config/options.js";
import { type ConfiguredCommand, effortFlag, modelFlag, quietFlag } from "../command.js";

export const askCommand: ConfiguredCommand = {
  name: "ask",
  summary: "ask one question and print the answer as it comes",
  details: [
    "Without TEXT, or with -, it reads the question from standard input. Only the answer goes to standard output.",
    "Uses the running service if it answers at the configured address. If not, it starts Codex for this one question, which " +
      "takes a second or two, and stops it again. Ctrl-C cancels the turn.",
    "On a terminal one line on standard error shows the seconds that have passed and where the question stands, with the last words of " +
      "the model's reasoning if Codex gives a summary of it, until the answer begins. A pipe or file, TERM=dumb and --quiet get none.",
  ],
  flags: [
    modelFlag,
    {
      name: "instructions",
      placeholder: "TEXT",
      description: "Instructions for the model, before the question.",
    },
    effortFlag,
    {
      name: "json-schema",
      placeholder: "FILE|JSON",
      description: "Answer with JSON that matches this schema, printed when it is complete.",
    },
    quietFlag,
  ],
  operands: { shown: "[TEXT|-]", max: 1, choices: null },
  options: [
    options.config,
    options.listen.host,
    options.listen.port,
    options.auth.tokenFile,
    options.turns.defaultModel,
  ],
  examples: [
    'ask "What is the capital of France?"',
    'ask --instructions "Summarize in one sentence." < report.txt',
    'ask --json-schema intent.schema.json "Could you open the garage?" | jq .intent',
  ],
  exits: ["done", "failed", "configuration", "notReady", "interrupted"],
  run: async (context, input, loaded) => {
    const { ask } = await import("../ask/ask.js");
    return ask(context, input, loaded);
  },
};
