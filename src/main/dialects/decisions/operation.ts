/** The operation of `POST /v1/decisions`. */
import { json, type Operation, schemaRef } from "../operation.js";

/** A test holds it against the schema. */
const examples = {
  kinds: {
    summary: "All kinds of questions",
    value: {
      model: "gpt-6-luna",
      input: "I was charged twice, and I want one payment back. Today!",
      questions: [
        { type: "predicate", name: "refund", instructions: "The customer asks for money back." },
        {
          type: "choice",
          name: "team",
          instructions: "Which team should handle this?",
          choices: [{ value: "billing", description: "Charges and refunds" }, { value: "support" }],
        },
        {
          type: "score",
          name: "urgency",
          instructions: "How urgent is it?",
          levels: [{ label: "low" }, { label: "normal" }, { label: "high" }],
        },
      ],
    },
  },
};

export const createDecision: Operation = {
  id: "createDecision",
  tag: { name: "Decisions", description: "OpenAI's Decisions: classification, verification and scoring." },
  summary: "Answers to 1 to 400 questions about one input",
  description:
    "OpenAI's Decisions over the subscription: one turn answers all questions. Probabilities are the ones that the model states.",
  runsTurn: true,
  body: { schema: schemaRef("DecisionRequest"), examples },
  answers: { 200: json("Decision", "The answers, in the order of the questions.") },
  errors: ["unsupported_decisions_feature", "invalid_model_output"],
};
