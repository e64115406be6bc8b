import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { removeTree } from "../../../../../src/main/codex/home/private-files.js";
import { isJsonObject, type JsonObject } from "../../../../../src/workers/contract/json.js";
import { testCodexBin } from "../../../../support/codex-version.js";

/** The installed package's own binary, not its launcher: signals must reach the process itself. */
export function findInstalledCodex(): string {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve(`@openai/codex-${process.platform}-${process.arch}/package.json`);
  const vendor = join(dirname(manifest), "vendor");
  const [triple] = readdirSync(vendor);
  if (triple === undefined) throw new Error("the installed @openai/codex has no binary");
  return join(vendor, triple, "bin", process.platform === "win32" ? "codex.exe" : "codex");
}

/** The whole protocol of the Codex under test (`TEST_CODEX_BIN`, else the installed package's), as one JSON schema. */
export async function generateProtocolSchema(): Promise<JsonObject> {
  const out = mkdtempSync(join(tmpdir(), "codex-schema-"));
  try {
    const args = ["app-server", "generate-json-schema", "--experimental", "--out", out];
    // npm's launcher, which may be what was given, is found by the PATH's node.
    const env = { CODEX_HOME: out, PATH: process.env.PATH ?? "" };
    await promisify(execFile)(testCodexBin ?? findInstalledCodex(), args, { env, timeout: 60_000 });
    const schema: unknown = JSON.parse(
      readFileSync(join(out, "codex_app_server_protocol.schemas.json"), "utf8"),
    );
    if (!isJsonObject(schema)) throw new Error("the generated schema is not an object");
    return schema;
  } finally {
    await removeTree(out);
  }
}
