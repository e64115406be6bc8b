import { createHash } from "node:crypto";
import { type StatsListener, unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { isJsonObject } from "../../workers/contract/json.js";

const pollIntervalMs = 400;

/**
 * Tells when `auth.json` begins to speak of another login. Polled, since the file is replaced and may be on a file system
 * without change events. A token refresh rewrites the file too and is not a change of login.
 */
export class LoginWatch {
  readonly #onChange: () => void;
  #file: string | null = null;
  #login: string | null = null;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  start(file: string): void {
    if (this.#file === file) return;
    this.stop();
    this.#file = file;
    watchFile(file, { interval: pollIntervalMs, persistent: false }, this.#onFile);
    void readLogin(file).then((login) => {
      if (this.#file === file) this.#login ??= login;
    });
  }

  stop(): void {
    if (this.#file !== null) unwatchFile(this.#file, this.#onFile);
    this.#file = null;
    this.#login = null;
  }

  readonly #onFile: StatsListener = () => {
    const file = this.#file;
    if (file !== null) void this.#compare(file);
  };

  async #compare(file: string): Promise<void> {
    const login = await readLogin(file);
    if (file !== this.#file || login === this.#login) return;
    this.#login = login;
    this.#onChange();
  }
}

/** A fingerprint of who is logged in, without the tokens: these change while the login stays. */
async function readLogin(file: string): Promise<string> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch {
    // Absent, or caught half-written: the next poll reads it whole.
    return "none";
  }
  if (!isJsonObject(content)) return "none";
  const tokens = isJsonObject(content.tokens) ? content.tokens : {};
  const who = [
    content.auth_mode ?? null,
    tokens.account_id ?? null,
    readSubject(tokens.id_token),
    content.OPENAI_API_KEY ?? null,
  ];
  return createHash("sha256").update(JSON.stringify(who)).digest("hex");
}

function readSubject(idToken: unknown): unknown {
  if (typeof idToken !== "string") return null;
  try {
    const claims: unknown = JSON.parse(
      Buffer.from(idToken.split(".")[1] ?? "", "base64url").toString("utf8"),
    );
    return isJsonObject(claims) ? [claims.sub ?? null, claims.email ?? null] : null;
  } catch {
    return null;
  }
}
