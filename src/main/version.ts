import { createRequire } from "node:module";
import { isJsonObject } from "../workers/contract/json.js";

// By the package's own name, since the compiled tests lie one folder deeper than the published files.
const manifest: unknown = createRequire(import.meta.url)("codex-native-api/package.json");

/** Version of this package. */
export const packageVersion: string =
  isJsonObject(manifest) && typeof manifest.version === "string" ? manifest.version : "0.0.0";
