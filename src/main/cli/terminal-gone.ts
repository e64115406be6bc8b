import { closeSync, constants, openSync } from "node:fs";

/** Whether the terminal that this process was started in has hung up: then it has none any more. */
export function isTerminalGone(device = "/dev/tty"): boolean {
  try {
    closeSync(openSync(device, constants.O_RDWR | constants.O_NOCTTY));
    return false;
  } catch {
    // ENXIO where it is gone; on a platform without such a device SIGHUP has no other meaning.
    return true;
  }
}
