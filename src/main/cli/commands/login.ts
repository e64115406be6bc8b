import { options } from "../../config/options.js";
import { CodexNativeApiError } from "../../errors.js";
import { packageVersion } from "../../version.js";
import type { CliContext } from "../cli-context.js";
import type { Command } from "../command.js";
import { type LoadedConfig, print, refuse, withConfig } from "../configured.js";
import { describeAccount } from "../describe-account.js";
import { exitCodes } from "../exit-codes.js";
import { watchInterruption } from "../interruption.js";
import { refuseError } from "../refuse-answer.js";

export const loginCommand: Command = {
  name: "login",
  summary: "log in to Codex with a code that you enter in a browser, here or elsewhere",
  details: [
    "Prints a page and a one-time code, and waits until you have entered it there. The login is Codex's own and lands where " +
      "`codex login` puts it; a running service notices it by itself. Ctrl-C cancels.",
  ],
  flags: [],
  operands: null,
  options: [options.config, options.codex.bin, options.codex.userHome],
  examples: ["login", "login --codex-home ~/.codex-work"],
  exits: ["done", "failed", "configuration", "notReady", "interrupted"],
  run: (context, input) => withConfig(context, input, (loaded) => login(context, loaded)),
};

async function login(context: CliContext, { config }: LoadedConfig): Promise<number> {
  const { loginByDeviceCode } = await import("../../runtime/device-login.js");
  const { bin, userHome, config: codexConfig } = config.codex;
  try {
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
        context.stderr.write("codex-native-api: cancelled; the login is as it was\n");
        return exitCodes.interrupted;
      case "failed":
        return refuse(context, outcome.message, exitCodes.failed);
    }
  } catch (error) {
    const { code, message } = CodexNativeApiError.fromUnknown(error);
    return refuseError(context, code, message);
  }
}
