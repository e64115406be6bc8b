/** What `import "codex-native-api"` loads: first the check, since modules are evaluated in this order, then the public surface. */
import "./outside-bundles.js";

export * from "./index.js";
