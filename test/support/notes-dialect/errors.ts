import type { ErrorShape } from "../../../src/main/dialects/dialect.js";

export const noteErrors: ErrorShape = {
  describe: ({ code, message }) => ({ fault: code, why: message }),
  encodeLast: ({ code }) => `data: ${JSON.stringify({ fault: code })}\n\n`,
};
