/**
 * Where the threads' programs are. Beside the command and the library in this very folder, whether as compiled file by file for the
 * tests or bundled for publishing.
 */
const fileAt = (path: string): URL => new URL(path, import.meta.url);

export const turnWorkerFile = fileAt("../workers/entry.js");
export const loginWorkerFile = fileAt("../workers/login-entry.js");
export const accountWorkerFile = fileAt("../workers/account-entry.js");
