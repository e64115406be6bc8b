import { z } from "zod";
import type { CliContext } from "../cli-context.js";
import type { ConfiguredCommand } from "../command.js";
import { exitCodes } from "../exit-codes.js";
import { CommandRefusal, note, print, refusalOfAnswer } from "../outcome.js";
import { type FoundService, withService } from "../with-service.js";
import { addressOptions } from "./health.js";

const timeoutMs = 5_000;

const pageCode = z.looseObject({ code: z.string().regex(/^[\w-]+$/), expires_in: z.number() });

export const openCommand: ConfiguredCommand = {
  name: "open",
  summary: "open the running service's page in the browser, logged in",
  details: [
    "Asks the service for a one-time code and opens its page with it, so that the page has the token of the configuration. The token itself " +
      "is in no address; the code works once, within a minute.",
    "Over SSH, without a display and with --print it prints the address instead. Elsewhere than on the service's own machine that address " +
      "needs its port forwarded: ssh -L 43182:127.0.0.1:43182 HOST.",
  ],
  flags: [
    { name: "print", placeholder: null, description: "Print the address with its code, and open nothing." },
  ],
  operands: null,
  options: addressOptions,
  examples: ["open", "open --print"],
  exits: ["done", "failed", "configuration", "notReady"],
  run: (context, input, { config }) =>
    withService(config, timeoutMs, async (found) => {
      const { code, expires_in: seconds } = await requestCode(found);
      const address = `${found.baseUrl}/#code=${code}`;
      const reason = input.flags.has("print") ? "" : await openAddress(context, address);
      if (reason === null) return print(context, `opened ${found.baseUrl}/\n`);
      if (reason !== "") note(context, `${reason}; open this address yourself`);
      note(context, `the address works once, within ${seconds} seconds`);
      return print(context, `${address}\n`);
    }),
};

async function requestCode({ client }: FoundService) {
  const answer = await client.post("/v1/page/codes", {}, AbortSignal.timeout(timeoutMs)).catch(() => null);
  if (answer === null || "events" in answer)
    throw new CommandRefusal("the service did not finish its answer", exitCodes.notReady);
  if (answer.status === 404)
    throw new CommandRefusal("the service at this address is older and has no page", exitCodes.failed);
  if (answer.status !== 200) throw refusalOfAnswer(answer);
  const parsed = pageCode.safeParse(answer.body);
  if (!parsed.success)
    throw new CommandRefusal("the code is of another version of the service", exitCodes.failed);
  return parsed.data;
}

/** Null once it is open; else why no browser was started. */
async function openAddress(context: CliContext, address: string): Promise<string | null> {
  const { env, machine, startProgram } = context;
  if (env.SSH_CONNECTION || env.SSH_TTY) return "this is a terminal over SSH";
  const [command, args] = openerOf(machine.platform, address);
  if (command === "xdg-open" && !env.DISPLAY && !env.WAYLAND_DISPLAY) return "there is no display";
  const end = await startProgram(command, args);
  if (end.outcome === "not_started") return `${command} could not be started (${end.errorCode})`;
  return end.code === 0 ? null : `${command} found no browser (exit code ${end.code})`;
}

/** The program that opens an address in the user's browser. */
function openerOf(
  platform: NodeJS.Platform,
  address: string,
): readonly [command: string, args: readonly string[]] {
  if (platform === "darwin") return ["open", [address]];
  // `start` takes the first quoted text for a title.
  if (platform === "win32") return ["cmd", ["/c", "start", "", address]];
  return ["xdg-open", [address]];
}
