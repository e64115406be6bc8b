/** The commands that put one question to a model. */
import { options } from "../../config/options.js";
import { type ConfiguredCommand, effortFlag, jsonFlag, modelFlag, quietFlag } from "../command.js";

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

export const decideCommand: ConfiguredCommand = {
  name: "decide",
  summary: "answer one question about a text, with probabilities",
  details: [
    "Without TEXT, or with -, it reads the text from standard input. To the model the text is data. One of --choice, --predicate and " +
      "--score says what is asked.",
    "The first line of the output is the answer: the likeliest value of a choice, how likely a predicate is true, the mean of a score's " +
      "levels, of which the first is 0. The lines behind it say how likely each value is. The model states these probabilities; they are " +
      "not those of its tokens.",
    "Uses the running service if it answers at the configured address, by `POST /v1/decisions`. If not, it starts Codex for this one " +
      "question, as `ask` does. A model that refuses ends it with 1. On a terminal it shows where the question stands, as `ask` does; not with " +
      "--json or --quiet.",
  ],
  flags: [
    { name: "choice", placeholder: "A,B,…", description: "The values, one of which is chosen: 2 to 255." },
    {
      name: "predicate",
      placeholder: "STATEMENT",
      description: "A statement about the text, which is true or not.",
    },
    {
      name: "score",
      placeholder: "LOW,…,HIGH",
      description: "The levels of a score, the lowest first: 2 to 10.",
    },
    {
      name: "question",
      placeholder: "TEXT",
      description: "What is asked about the text, with --choice or --score. Default: which value fits it.",
    },
    { name: "name", placeholder: "NAME", description: "A name for the question, which the JSON repeats." },
    modelFlag,
    effortFlag,
    jsonFlag("Print the answer of `POST /v1/decisions` as JSON."),
    quietFlag,
  ],
  operands: { shown: "[TEXT|-]", max: 1, choices: null },
  options: [
    options.config,
    options.listen.host,
    options.listen.port,
    options.auth.tokenFile,
    options.decisions.model,
    options.decisions.effort,
  ],
  examples: [
    'decide "I was charged twice." --choice billing,support,sales',
    'decide --predicate "The customer asks for money back." < mail.txt',
    'decide --score low,normal,high --question "How urgent is it?" < mail.txt',
  ],
  exits: ["done", "failed", "configuration", "notReady", "interrupted"],
  run: async (context, input, loaded) => {
    const { decide } = await import("../ask/decide.js");
    return decide(context, input, loaded);
  },
};
