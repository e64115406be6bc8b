import { existsSync } from "node:fs";

/**
 * Refuses to be loaded from a host's bundle. The threads' programs and Piscina's are files beside this one, which a bundle leaves
 * behind, and `import.meta.url`, by which they are found, is then the bundle's own address, or undefined in CommonJS.
 */
function isInItsPackage(url: string | undefined): boolean {
  return (
    url?.endsWith("/main/outside-bundles.js") === true && existsSync(new URL("../workers/entry.js", url))
  );
}

if (!isInItsPackage(import.meta.url))
  throw new Error(
    "codex-native-api was bundled into another file, or its package is incomplete: its worker threads run from files of the package. " +
      'Keep it external and install it beside your program (esbuild: external: ["codex-native-api"]).',
  );
