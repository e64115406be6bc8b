/** What becomes of the login while turns run: other accounts, none, tokens that are revoked, another Codex that was first. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { logout, switchAccount } from "../support/offline-backend/index.js";
import type { BadCaller } from "./bad-callers.js";
import { askInTurn, untilServed } from "./one-shot-callers.js";
import { cutBy, type LawfulFailure, type Phase } from "./phase.js";
import { pause, type ServiceProcess } from "./service-process.js";

const accounts = ["acct-offline-1", "acct-offline-2"] as const;
const loginFile = z.object({ tokens: z.object({ account_id: z.string() }) });
const served = [/^answered$/, /^served again$/];
const cutRuntime = /^cut: native_runtime_unavailable, retry$/;
const loggedOut = /^503 native_login_required, no retry$/;

const otherAccount: LawfulFailure = {
  shown: "chains of the other account, continuation_account_mismatch",
  code: "continuation_account_mismatch",
  of: "chain",
};

export function listLoginPhases(service: ServiceProcess): readonly Phase[] {
  return [
    {
      name: "login: tokens revoked, file half-written",
      seconds: 14,
      maxWaitMs: 30_000,
      run: damageLogin(service),
      outcomes: [...served, /^access tokens revoked$/, /^login file cut in half$/],
    },
    {
      name: "login: account switched",
      seconds: 16,
      maxWaitMs: 40_000,
      run: switchAccounts(service),
      lawful: [otherAccount, cutBy("native_runtime_unavailable")],
      outcomes: [...served, cutRuntime, /^account switched$/],
    },
    {
      name: "login: logged out and in",
      seconds: 24,
      maxWaitMs: 40_000,
      run: logOutAndIn(service),
      lawful: [
        { shown: "logged out, native_login_required", code: "native_login_required", of: "any" },
        cutBy("native_runtime_unavailable"),
      ],
      outcomes: [...served, cutRuntime, loggedOut, /^logged (out|in)$/],
    },
    {
      name: "login: taken over by another Codex",
      seconds: 16,
      maxWaitMs: 40_000,
      run: takeOver(service),
      lawful: [cutBy("native_runtime_unavailable")],
      outcomes: [...served, cutRuntime, /^refreshed by another Codex$/],
    },
  ];
}

async function readAccount(userHome: string): Promise<string> {
  const file: unknown = JSON.parse(await readFile(join(userHome, "auth.json"), "utf8"));
  return loginFile.parse(file).tokens.account_id;
}

/** Codex refreshes what is revoked, and waits for a file that is not whole: nobody sees either. */
function damageLogin({ backend, userHome }: ServiceProcess): BadCaller {
  return async (context, signal) => {
    const callers = askInTurn(context, signal);
    for (let strike = 0; strike < 2; strike += 1) {
      backend.tokens.revokeAccessTokens();
      context.count("access tokens revoked");
      await pause(4_000, signal);
    }
    const file = join(userHome, "auth.json");
    const whole = await readFile(file, "utf8");
    context.count("login file cut in half");
    await writeFile(file, whole.slice(0, whole.length / 2));
    await pause(1_500);
    await writeFile(file, whole);
    await callers;
    await untilServed(context, signal);
  };
}

function switchAccounts({ backend, userHome }: ServiceProcess): BadCaller {
  return async (context, signal) => {
    const callers = askInTurn(context, signal);
    await pause(1_000);
    const before = await readAccount(userHome);
    const accountId = accounts.find((account) => account !== before) ?? accounts[0];
    await switchAccount(userHome, { backend, accountId });
    context.count("account switched");
    await callers;
    await untilServed(context, signal);
  };
}

/** A file that is missing for a moment is no logout: it stays away for longer than the service waits for it. */
function logOutAndIn({ backend, userHome }: ServiceProcess): BadCaller {
  return async (context, signal) => {
    const callers = askInTurn(context, signal);
    const accountId = await readAccount(userHome);
    await logout(userHome);
    context.count("logged out");
    await pause(14_000, signal);
    await switchAccount(userHome, { backend, accountId });
    context.count("logged in");
    await callers;
    await untilServed(context, signal);
  };
}

/** The other one has used the refresh token up, and writes its tokens a moment after the service is refused. */
function takeOver({ backend, userHome }: ServiceProcess): BadCaller {
  return async (context, signal) => {
    const callers = askInTurn(context, signal);
    await pause(1_000);
    const accountId = await readAccount(userHome);
    backend.tokens.revokeRefreshTokens();
    backend.tokens.revokeAccessTokens();
    await pause(1_000);
    await switchAccount(userHome, { backend, accountId });
    context.count("refreshed by another Codex");
    await callers;
    await untilServed(context, signal);
  };
}
