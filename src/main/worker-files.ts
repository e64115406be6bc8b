/**
 * Where the threads' programs are. Beside the command and the library in this very folder, whether as compiled file by file for the
 * tests or bundled for publishing.
 */
const fileAt = (path: string): URL => new URL(path, import.meta.url);

/**
 * Piscina tries to `require` a program before it imports it. Node 20.19 and later can do that with a module, in one step of native code, and
 * a thread that is terminated in that step aborts the whole process ("v8::Module::IsGraphAsync must be used on an instantiated
 * module"; seen with 20.20.2). Where Node can be told not to, the program is imported.
 */
const importOnly = "--no-experimental-require-module";

/** Options of every worker thread: plain JavaScript that reads no environment, and so gets no loaders and no secrets of the host's. */
export const bareThread = {
  execArgv: process.allowedNodeEnvironmentFlags.has(importOnly) ? [importOnly] : [],
  env: {},
};

export const turnWorkerFile = fileAt("../workers/entry.js");
export const loginWorkerFile = fileAt("../workers/login-entry.js");
export const accountWorkerFile = fileAt("../workers/account-entry.js");
