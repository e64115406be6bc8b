import type { ThreadListener } from "../app-server/thread-router.js";

/** Codex echoes what it puts into a thread before or shortly after it answers, in milliseconds. */
const patienceMs = 500;

/**
 * Hears what Codex puts into a thread when it sets it up: messages of the account's or the organisation's come first, and the item of
 * unknown kind that was injected comes last.
 */
export class SetUpEcho implements ThreadListener {
  readonly #end: Promise<boolean>;
  #heard: (isBare: boolean) => void = () => {};

  constructor() {
    this.#end = new Promise((resolve) => {
      this.#heard = resolve;
    });
  }

  readonly onNotification: ThreadListener["onNotification"] = ({ method, params }) => {
    if (method === "rawResponseItem/completed") this.#heard(params.item.type === "other");
  };

  readonly onToolCall: ThreadListener["onToolCall"] = () =>
    Promise.reject(new Error("nothing runs on a thread that is being set up"));

  readonly onConnectionLost = (): void => this.#heard(false);

  /** False also where nothing was heard. */
  async isBare(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, patienceMs, false);
    });
    const isBare = await Promise.race([this.#end, silence]);
    clearTimeout(timer);
    return isBare;
  }
}
