import { options } from "../../config/options.js";
import { packageVersion } from "../../version.js";
import type { CliContext } from "../cli-context.js";
import type { ConfiguredCommand, LoadedConfig } from "../command.js";
import { describeAccount } from "../describe-account.js";
import { exitCodes } from "../exit-codes.js";
import { watchInterruption } from "../interruption.js";
import { CommandRefusal, note, print } from "../outcome.js";

export const loginCommand: ConfiguredCommand = {
  name: "login",
  summary: "log in to Codex with a code that you enter in a browser, here or elsewhere",
  details: [
    "Prints a page and a one-time code, and waits until you have entered it there. The login is Codex's own, in the same " +
      "place as that of `codex login`; a running service notices it by itself. Ctrl-C cancels.",
  ],
  flags: [],
  operands: null,
  options: [options.config, options.codex.bin, options.codex.userHome],
  examples: ["login", "login --codex-home ~/.codex-work"],
  exits: ["done", "failed", "configuration", "notReady", "interrupted"],
  run: (context, _input, loaded) => login(context, loaded),
};

async function login(context: CliContext, { config }: LoadedConfig): Promise<number> {
  const { loginByDeviceCode } = await import("../../codex/login/device-login.js");
  const { bin, userHome, config: codexConfig } = config.codex;
  const outcome = await loginByDeviceCode({
    bin,
    userHome,
    config: codexConfig,
    environment: context.env,
    version: packageVersion,
    signal: watchInterruption(context),
    onCode: ({ verificationUrl, userCode }) => {
      print(context, `Open this page and enter the code:\n\n  ${verificationUrl}\n  ${userCode}\n\n`);
      print(context, "Never enter a code that somebody else gave you. Waiting; Ctrl-C cancels.\n");
    },
  });
  switch (outcome.status) {
    case "done":
      return print(context, `${describeAccount({ ...outcome, authMode: "ChatGPT" })}\n`);
    case "cancelled":
      note(context, "cancelled; the login has not changed");
      return exitCodes.interrupted;
    case "failed":
      throw new CommandRefusal(outcome.message, exitCodes.failed);
  }
}
