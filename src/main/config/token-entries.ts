/** Named tokens as people write them: in the config file under `auth.tokens`, or in a separate file. */
import { z } from "zod";
import { isJsonObject } from "../../workers/contract/json.js";
import { turnPriorities } from "../../workers/contract/turn.js";
import { refuseName } from "./faults.js";
import { isTokenName, isTokenText } from "./named-token.js";
import { type InnerFault, type OptionType, singleValue } from "./option.js";

/** Bound on the tokens of one list, since each request is compared with all of them. */
const maxTokens = 1000;

const words = {
  name: "a name of letters, digits, '.', '_' and '-', at most 64 characters",
  token: "visible ASCII characters without spaces, at least 16",
  tokenFile: "the path of a file of mode 0600",
  sha256: "a SHA-256 digest as 64 hexadecimal digits",
  models: "a list of model ids, at least one",
  maxConcurrentTurns: "an integer from 1 to 100000",
  priority: turnPriorities.join(" or "),
  disabled: "true or false",
} as const;

const entrySchema = z.strictObject({
  name: z.string().refine(isTokenName).meta({ description: "Who it is given to: in logs and metrics." }),
  token: z.string().min(16).refine(isTokenText).optional().meta({ description: "The token itself." }),
  tokenFile: z.string().min(1).optional().meta({ description: "File that holds the token (mode 0600)." }),
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/)
    .optional()
    .meta({ description: "The token's SHA-256, so that the token itself is written down nowhere." }),
  models: z
    .array(z.string().regex(/^\S{1,200}$/))
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: "Models it may use, first the one for requests that name none. Default: all." }),
  maxConcurrentTurns: z.int().min(1).max(100_000).optional().meta({
    description: "Turns it may have under way at once. Default: as many as the service takes.",
  }),
  priority: z.enum(turnPriorities).optional().meta({
    description: "background: all of its turns let interactive ones go first. Default: interactive.",
  }),
  disabled: z.boolean().optional().meta({ description: "true: cut off." }),
});

/** A named token as settings and files give it: the token itself, or its digest, or a file that holds it. */
export type TokenEntry = z.output<typeof entrySchema>;

export const tokenListSchema = z.array(entrySchema).max(maxTokens);

/** Every fault of a list. Quotes only names: any other value may be a token in the wrong place. */
export function explainTokenList(value: unknown): readonly InnerFault[] {
  const issues = tokenListSchema.safeParse(value).error?.issues ?? [];
  return issues.flatMap((issue): readonly InnerFault[] => {
    const [index, key] = issue.path;
    const path = typeof index === "number" ? `[${index}]` : "";
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((name) => ({
        path: `${path}.${name}`,
        problem: refuseName("", "key", name, Object.keys(words)).problem,
      }));
    if (typeof key === "string" && isKnownKey(key)) {
      const isMissing =
        key === "name" &&
        issue.code === "invalid_type" &&
        nameOf(entriesOf(value)[Number(index)]) === undefined;
      const problem = isMissing ? "is missing; it takes" : "is not allowed; it takes";
      return [{ path: `${path}.${key}`, problem: `${problem} ${words[key]}` }];
    }
    return [{ path, problem: `is not allowed; it takes ${path === "" ? listWords : entryWords}` }];
  });
}

const listWords = `a list of at most ${maxTokens} tokens`;
const entryWords = `an object with name, one of token, tokenFile and sha256, and any of models, maxConcurrentTurns, priority, disabled`;

function isKnownKey(key: string): key is keyof typeof words {
  return Object.hasOwn(words, key);
}

function entriesOf(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

function nameOf(entry: unknown): unknown {
  return isJsonObject(entry) ? entry.name : undefined;
}

/** A list of named tokens in the config file. It has no text form. */
export function tokenList(): OptionType<readonly TokenEntry[]> {
  return {
    ...singleValue,
    schema: tokenListSchema,
    allowed: listWords,
    placeholder: "LIST",
    toText: () => "",
    // Only names: any other field of an entry may be a secret.
    show: (value) => JSON.stringify(entriesOf(value).map((entry) => String(nameOf(entry) ?? "?"))),
    explain: explainTokenList,
    isSafeToShow: true,
  };
}
