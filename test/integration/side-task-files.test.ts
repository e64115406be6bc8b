/** Files that a task names: what reaches the model, and what does not. */
import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { CodexNativeApiSideTaskRouter } from "../../src/main/side-tasks/router.js";
import type { SideTaskRequest } from "../../src/main/side-tasks/types.js";
import { failure } from "../support/fake-runtime.js";
import { failWith } from "../support/scripted-listener.js";
import { failureOf, startSideTaskHarness } from "../support/side-task-harness.js";

const task: SideTaskRequest = { taskClass: "normalization", input: "Follow the skill." };

function makeFolders(t: Test) {
  const base = t.testdir({ "secret.txt": "the secret", skills: { "search.md": "# Search\nBe quick." } });
  return { base, root: join(base, "skills"), skill: join(base, "skills", "search.md") };
}

t.test("a file goes before the input as a developer message, on every route", async (t) => {
  const { root, skill } = makeFolders(t);
  const { router, api, runtime, provider } = await startSideTaskHarness(t, { roots: [root] });
  const text = `The file ${JSON.stringify(skill)} contains:\n\n# Search\nBe quick.`;
  await router.execute({ ...task, files: [{ path: skill }] });
  t.strictSame(api.requests[0]?.body.input, [
    { role: "developer", content: text },
    { role: "user", content: "Follow the skill." },
  ]);
  const input = [{ role: "user", content: "One." }];
  await router.execute({ ...task, input, files: [{ path: skill }], provider: "other" });
  t.match(runtime.turns[0]?.request.items, [
    { role: "developer", content: [{ type: "input_text", text }] },
    { role: "user", content: [{ type: "input_text", text: "One." }] },
  ]);
  api.play(failWith(503, "native_login_required"));
  runtime.script = async () => {
    throw failure("native_login_required");
  };
  await router.execute({ ...task, files: [{ path: skill }] });
  t.match(provider.requests[0]?.body.messages, [
    { role: "system" },
    { role: "system", content: text },
    { role: "user", content: "Follow the skill." },
  ]);
  await router.execute({ ...task, files: [] });
  t.equal(api.requests.at(-1)?.body.input, "Follow the skill.");
});

t.test("a file that may not be read is the task's fault, by its path, and nothing is asked", async (t) => {
  const { base, root, skill } = makeFolders(t);
  symlinkSync(join(base, "secret.txt"), join(root, "link.md"));
  execFileSync("mkfifo", [join(root, "fifo.md")]);
  const { router, api, runtime, provider } = await startSideTaskHarness(t, { roots: [root] });
  const paths = ["link.md", "fifo.md", "none.md", "../secret.txt", "."].map((name) => `${root}/${name}`);
  for (const path of [...paths, "/proc/self/environ", "search.md", ""]) {
    const error = await failureOf(router.execute({ ...task, files: [{ path: skill }, { path }] }));
    t.match(error, { code: "bad_request", param: "files[1].path" }, path);
    t.ok(error.message.startsWith(JSON.stringify(path)), error.message);
    t.notMatch(error.message, "the secret");
  }
  for (const [files, param] of [
    ["search.md", "files"],
    [null, "files"],
    [["search.md"], "files[0].path"],
    [[{ path: 7 }], "files[0].path"],
    [[null], "files[0].path"],
  ])
    t.match(await failureOf(router.execute({ ...task, files } as unknown as SideTaskRequest)), {
      code: "bad_request",
      param,
    });
  const unreadable = Object.defineProperty({ ...task }, "files", {
    get: () => {
      throw new Error("thrown by the host's object");
    },
  });
  t.match(await failureOf(router.execute(unreadable)), { code: "bad_request", param: "files" });
  t.equal(api.connections + runtime.turns.length + provider.connections, 0);
  t.equal(router.running, 0);
});

t.test("what exists outside of the roots does not show in a fault", async (t) => {
  const { base, root } = makeFolders(t);
  symlinkSync(base, join(root, "up"));
  symlinkSync(join(base, "none.txt"), join(root, "to-none"));
  symlinkSync(join(base, "secret.txt"), join(root, "to-secret"));
  const { router } = await startSideTaskHarness(t, { roots: [root] });
  const told = async (path: string) => {
    const error = await failureOf(router.execute({ ...task, files: [{ path }] }));
    return [
      error.code,
      error.message.replaceAll(path, "PATH"),
      error.cause instanceof Error && error.cause.cause,
    ];
  };
  for (const [there, none] of [
    [`${root}/up/secret.txt`, `${root}/up/none.txt`],
    [`${root}/up/skills/../secret.txt`, `${root}/up/none/../none.txt`],
    [`${root}/to-secret`, `${root}/to-none`],
    [`${base}/secret.txt`, `${base}/none.txt`],
  ] as const)
    t.strictSame(await told(there), await told(none), there);
});

t.test("without roots no file is read, and a cancelled task reads none either", async (t) => {
  const { root, skill } = makeFolders(t);
  const { router } = await startSideTaskHarness(t);
  const files = [{ path: skill }];
  t.match(await failureOf(router.execute({ ...task, files })), { code: "bad_request" });
  const open = await startSideTaskHarness(t, { roots: [root] });
  t.match(await failureOf(open.router.execute({ ...task, files, signal: AbortSignal.abort() })), {
    code: "cancelled",
  });
  const last = failureOf(open.router.execute({ ...task, files }));
  await open.router.destroy();
  t.equal((await last).code, "closed");
});

t.test("roots of the wrong shape are named", async (t) => {
  const settings = { localApi: null, external: null };
  for (const [roots, param] of [
    ["/home", "roots"],
    [["/home", "skills"], "roots[1]"],
    [["/"], "roots[0]"],
    [["/proc"], "roots[0]"],
    [[7], "roots[0]"],
  ] as const)
    t.throws(() => new CodexNativeApiSideTaskRouter({ settings, roots: roots as unknown as string[] }), {
      code: "bad_request",
      param,
    });
});
