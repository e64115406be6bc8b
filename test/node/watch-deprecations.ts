/** Preloaded by `npm run test:node` into every Node that a test starts: writes each deprecation warning to the file of records. */
import { appendFileSync } from "node:fs";

const records = new URL(import.meta.url).searchParams.get("records");
if (records === null) throw new Error("preloaded without its file");

process.on("warning", ({ name, message, stack = "", ...rest }) => {
  if (name !== "DeprecationWarning") return;
  const code = "code" in rest ? String(rest.code) : "";
  appendFileSync(records, `${JSON.stringify({ code, message, stack })}\n`);
});
