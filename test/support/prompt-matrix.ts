/** On what the tests of what the model sees run: which Codex, login and models. `PROMPT_MATRIX=all` widens it to everything. */
import { oldestTestedCodex } from "../../src/workers/contract/codex-capabilities.js";
import { fetchCodex, versionsCache } from "../versions/fetch-codex.js";
import { testCodexBin, testCodexVersion } from "./codex-version.js";
import type { ServiceHarnessOptions } from "./service-harness.js";

const isWholeMatrix = process.env.PROMPT_MATRIX === "all";

type Login = Pick<ServiceHarnessOptions, "login" | "backend" | "provider">;

interface NamedLogin {
  readonly name: string;
  /** As the service's harness makes it. */
  readonly login: Login;
  /** Whether Codex asks about an account then. */
  readonly hasAccount: boolean;
}

/** Each way in which Codex can be logged in. */
export const logins: readonly NamedLogin[] = [
  { name: "ChatGPT over WebSocket", login: { login: "chatgpt" }, hasAccount: true },
  {
    name: "ChatGPT over server-sent events",
    login: { login: "chatgpt", backend: { webSocket: "refuse" } },
    hasAccount: true,
  },
  {
    name: "ChatGPT with a custom provider",
    login: { login: "chatgpt", provider: { supportsWebSockets: false } },
    hasAccount: true,
  },
  { name: "an API key", login: { login: "api-key" }, hasAccount: false },
];

/** One combination that is tested. */
export interface MatrixCell extends NamedLogin {
  readonly codex: TestedCodex;
  readonly profile: "lean" | "codex";
}

interface TestedCodex {
  readonly version: string;
  /** What the service's environment must say to run it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Why it cannot be had here. */
  readonly skip?: string;
}

/** More than an install from a near registry takes. Where it takes longer, there is none. */
const fetchTimeoutMs = 20_000;

/** The installed Codex, and the oldest that is tested; the one of `TEST_CODEX_BIN` alone, where that is set. */
async function findCodexes(): Promise<readonly TestedCodex[]> {
  const installed = { version: testCodexVersion, environment: {} };
  return testCodexBin === null ? [installed, await findOldest()] : [installed];
}

/** Everything in the whole matrix; else each login on the installed Codex, and the first on the oldest. */
export async function listCells(): Promise<readonly MatrixCell[]> {
  const cells = (await findCodexes()).flatMap((codex) =>
    logins.flatMap((login) => [
      { codex, ...login, profile: "lean" as const },
      { codex, ...login, profile: "codex" as const },
    ]),
  );
  if (isWholeMatrix) return cells;
  return cells.filter(({ codex, name, profile }) => {
    const isFirst = name === logins[0]?.name;
    return isFirst || (profile === "lean" && codex.version === testCodexVersion);
  });
}

async function findOldest(): Promise<TestedCodex> {
  const version = oldestTestedCodex;
  try {
    const path = await fetchCodex(version, versionsCache, fetchTimeoutMs);
    return { version, environment: { CODEX_NATIVE_API_CODEX_BIN: path } };
  } catch (error) {
    return { version, environment: {}, skip: `Codex ${version} cannot be fetched: ${firstLine(error)}` };
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}

/** Everything is tried on it: each model in the whole matrix, three without; and each form of account. */
export function isThorough({ name, profile }: MatrixCell): boolean {
  return isWholeMatrix || (name === logins[0]?.name && profile === "lean");
}

/** The catalog's default, which newer versions mark for Responses Lite, and one that none marks. */
export const modelsOfBothForms = [undefined, "gpt-5.5"] as const;

/** The catalog's default; in a thorough cell two others too, one of the older form among them, and in the whole matrix all. */
export function chooseModels(ids: readonly string[], cell: MatrixCell): readonly string[] {
  if (isWholeMatrix) return ids;
  const ofEachFamily = new Map<string, string>();
  for (const id of ids) {
    const family = id.replaceAll(/[\d.]+/g, "");
    if (!ofEachFamily.has(family)) ofEachFamily.set(family, id);
  }
  const [first = "", second = ""] = ofEachFamily.values();
  return isThorough(cell) ? [...new Set([first, second, "gpt-5.5"])] : [first];
}
