/** The labelled set: one question a task, and inputs in two languages whose right answer people agree on. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const questionSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("predicate"), name: z.string(), instructions: z.string() }),
  z.object({
    type: z.literal("choice"),
    name: z.string(),
    instructions: z.string(),
    choices: z.array(z.object({ value: z.string(), description: z.string() })),
  }),
  z.object({
    type: z.literal("score"),
    name: z.string(),
    instructions: z.string(),
    levels: z.array(z.object({ label: z.string(), description: z.string() })),
  }),
]);

const language = z.enum(["en", "zh"]);

const setSchema = z.record(
  z.string(),
  z.object({
    question: questionSchema,
    /** Texts that ask for an answer, and which. */
    injections: z.array(z.tuple([language, z.string(), z.string()])),
    cases: z.array(z.tuple([language, z.string(), z.union([z.string(), z.boolean()])])),
  }),
);

export type Question = z.infer<typeof questionSchema>;

export interface LabelledCase {
  readonly task: string;
  readonly language: "en" | "zh";
  readonly question: Question;
  readonly input: string;
  /** One of `labelsOf` its question, here and below. */
  readonly label: string;
  /** The wrong answer that a text in the input asks for; null where none does. */
  readonly injected: string | null;
}

/** So many cases get each injection. */
const casesPerInjection = 4;

/** From `build/bench/decisions`. */
const setFile = fileURLToPath(new URL("../../../bench/decisions/cases.json", import.meta.url));

/** With the cases that are made of an injection and an input. Throws for a label that its question does not have. */
export async function readLabelledSet(): Promise<readonly LabelledCase[]> {
  const set = setSchema.parse(JSON.parse(await readFile(setFile, "utf8")));
  return Object.entries(set).flatMap(([task, { question, injections, cases }]) => {
    const plain = cases.map(([language, input, answer]) => {
      const label = requireLabel(question, String(answer));
      return { task, language, question, input, label, injected: null };
    });
    const hostile = injections.flatMap(([language, text, target]) => {
      const injected = requireLabel(question, target);
      return plain
        .filter((labelled) => labelled.language === language && labelled.label !== injected)
        .slice(0, casesPerInjection)
        .map((labelled) => ({
          ...labelled,
          task: `${task} injected`,
          input: `${labelled.input}\n${text}`,
          injected,
        }));
    });
    return [...plain, ...hostile];
  });
}

function requireLabel(question: Question, label: string): string {
  if (!labelsOf(question).includes(label)) throw new Error(`${question.name} has no answer ${label}.`);
  return label;
}

/** All answers to a question, in their order. */
export function labelsOf(question: Question): readonly string[] {
  switch (question.type) {
    case "predicate":
      return ["false", "true"];
    case "choice":
      return question.choices.map(({ value }) => value);
    case "score":
      return question.levels.map(({ label }) => label);
  }
}
