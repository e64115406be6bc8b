/** What an account brings into the prompt beside the caller's words: the list that the tests of what the model sees go by. */
import { isAtLeast } from "../../src/workers/contract/codex-capabilities.js";
import { testCodexVersion } from "./codex-version.js";
import { type AccountForm, managedInstructions, requiredInstructions } from "./offline-backend/index.js";
import { isJsonObject, isJsonObjectList } from "./offline-backend/json.js";

interface Addition {
  /** What a text of the prompt begins with. */
  readonly mark: string;
  /** The minor version of Codex that has it first. */
  readonly since: number;
  /** The accounts that it comes with. */
  readonly accounts: readonly AccountForm[];
}

const additions: readonly Addition[] = [
  // An account's own convenience: its setting "commit attribution", 1.4 KB on trailers of git commits. It is kept out of all prompts.
  { mark: "<git_attribution>", since: 150, accounts: [] },
  // Managed configuration is the organisation's and stays.
  { mark: managedInstructions, since: 140, accounts: ["full"] },
  {
    mark: `<managed_developer_instructions>\n${requiredInstructions}`,
    since: 150,
    accounts: ["full"],
  },
];

/** A login without an account, and one with each form of it. */
export const loginsWithAccounts: readonly {
  readonly login: "provider" | "chatgpt";
  readonly account: AccountForm;
}[] = [
  { login: "provider", account: "bare" },
  { login: "chatgpt", account: "bare" },
  { login: "chatgpt", account: "personal" },
  { login: "chatgpt", account: "full" },
];

/** The marks of what a login with an account of this form adds to each prompt. */
export function additionsOf(
  account: AccountForm,
  codexVersion: string = testCodexVersion,
): readonly string[] {
  return additions
    .filter(({ since, accounts }) => accounts.includes(account) && isAtLeast(codexVersion, 0, since))
    .map(({ mark }) => mark)
    .sort();
}

/** A prompt without the known additions and without the messages that held nothing else; and the additions found, sorted. */
export function takeOutAdditions(prompt: unknown): {
  readonly rest: unknown;
  readonly found: readonly string[];
} {
  const found: string[] = [];
  const isAdded = (part: unknown): boolean => {
    const text = isJsonObject(part) && typeof part.text === "string" ? part.text : "";
    const addition = additions.find(({ mark }) => text.startsWith(mark));
    if (addition !== undefined) found.push(addition.mark);
    return addition !== undefined;
  };
  if (!isJsonObject(prompt) || !isJsonObjectList(prompt.input)) return { rest: prompt, found };
  const input = prompt.input.flatMap((item) => {
    if (!Array.isArray(item.content)) return [item];
    const content = item.content.filter((part) => !isAdded(part));
    return content.length === 0 ? [] : [{ ...item, content }];
  });
  return { rest: { ...prompt, input }, found: found.sort() };
}
