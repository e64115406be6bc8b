/** OpenAI's decisions as its official client has them: what is asked, and what is answered. */

/** A string and a boolean with the same text are two values. */
export type DecisionChoiceValue = string | boolean;

/** How likely a statement about the input is true. */
export interface DecisionPredicate {
  readonly type: "predicate";
  readonly name?: string | null | undefined;
  readonly instructions: string | readonly DecisionQuestionPart[];
}

/** One of these values. */
export interface DecisionChoice {
  readonly type: "choice";
  readonly name?: string | null | undefined;
  readonly instructions: string | readonly DecisionQuestionPart[];
  /** 2 to 255, no two alike. */
  readonly choices: readonly {
    readonly value: DecisionChoiceValue;
    readonly description?: string | null | undefined;
  }[];
}

/** A place between the first of these levels and the last. */
export interface DecisionScore {
  readonly type: "score";
  readonly name?: string | null | undefined;
  readonly instructions: string | readonly DecisionQuestionPart[];
  /** 2 to 10, the lowest first. */
  readonly levels: readonly { readonly label: string; readonly description?: string | null | undefined }[];
}

/** One question, of any kind. */
export type DecisionQuestion = DecisionPredicate | DecisionChoice | DecisionScore;

/** A text of a question's instructions. */
export interface DecisionTextPart {
  readonly type: "input_text";
  readonly text: string;
}

/** An image, as a data URL. */
export interface DecisionImagePart {
  readonly type: "input_image";
  readonly image_url: string;
  readonly detail?: "low" | "high" | "auto" | "original" | null | undefined;
}

/** Data. */
export interface DecisionJsonPart {
  readonly type: "input_json";
  /** An object, or a list of objects. */
  readonly data: unknown;
}

/** A part of a question's instructions. */
export type DecisionQuestionPart = DecisionTextPart | DecisionImagePart | DecisionJsonPart;

/** How likely the statement of a predicate is true. */
export interface DecisionPredicateAnswer {
  readonly type: "predicate";
  readonly name: string | null;
  /** That the statement is true, from 0 to 1. */
  readonly probability: number;
}

/** Which of the values of a choice, and how likely each is. */
export interface DecisionChoiceAnswer<Value extends DecisionChoiceValue = DecisionChoiceValue> {
  readonly type: "choice";
  readonly name: string | null;
  /** The likeliest value; of equal ones the first. */
  readonly choice: Value;
  /** How far the probabilities are from equal ones: 0 to 1. */
  readonly confidence: number;
  /** Of every value, in the order of the question. They sum to 1. */
  readonly probabilities: readonly { readonly value: Value; readonly probability: number }[];
}

/** Where between the levels of a score, and how likely each is. */
export interface DecisionScoreAnswer {
  readonly type: "score";
  readonly name: string | null;
  /** The mean of the levels, the lowest being 0. */
  readonly score: number;
  /** How near to the likeliest level the probabilities are: 0 to 1. */
  readonly confidence: number;
  /** Of every level, in the order of the question. They sum to 1. */
  readonly probabilities: readonly {
    readonly value: number;
    readonly label: string;
    readonly probability: number;
  }[];
}

/** The model declined to answer this question. */
export interface DecisionRefusal {
  readonly type: "refusal";
  readonly name: string | null;
}

/** The answer to one question, of its kind, or a refusal. */
export type DecisionAnswer =
  | DecisionPredicateAnswer
  | DecisionChoiceAnswer
  | DecisionScoreAnswer
  | DecisionRefusal;

/** The answer to this question: of its kind and with its values, or a refusal. */
export type DecisionAnswerTo<Question extends DecisionQuestion> =
  | DecisionRefusal
  | (Question extends DecisionChoice
      ? DecisionChoiceAnswer<Question["choices"][number]["value"]>
      : Question extends DecisionScore
        ? DecisionScoreAnswer
        : DecisionPredicateAnswer);

/** The answers to these questions, each in its question's place. */
export type DecisionAnswersTo<Questions extends readonly DecisionQuestion[]> = {
  readonly [Place in keyof Questions]: DecisionAnswerTo<Questions[Place]>;
};
