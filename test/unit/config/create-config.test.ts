import { delimiter } from "node:path";
import t from "tap";
import { createConfigOn } from "../../../src/main/config/load-config.js";
import { options } from "../../../src/main/config/options.js";
import { fakeMachine } from "../../support/fake-machine.js";

const machine = fakeMachine({
  "/home/ada/.config/codex-native-api/config.json": '{"listen":{"port":1},"workers":3}',
  "/srv/app/token": "from-the-file",
});

t.test("a host that says nothing has the defaults, and no file is read", async (t) => {
  t.match(createConfigOn(machine, {}, {}), {
    ok: true,
    config: {
      enabled: true,
      listen: { host: "127.0.0.1", port: 43182 },
      auth: { token: null },
      codex: { userHome: "/home/ada/.codex", stateDir: "/home/ada/.local/state/codex-native-api" },
      workers: 3,
    },
  });
});

t.test("settings have the shape of the config file; what is undefined has its default", async (t) => {
  const settings = {
    enabled: false,
    listen: { port: 0, host: undefined },
    auth: { tokenFile: "token" },
    codex: { stateDir: "state" },
    appServer: "ws://127.0.0.1:4500",
    workers: undefined,
  } as const;
  t.match(createConfigOn(machine, settings, {}), {
    ok: true,
    config: {
      enabled: false,
      listen: { host: "127.0.0.1", port: 0 },
      auth: { token: "from-the-file" },
      codex: { stateDir: "/srv/app/state" },
      appServer: { kind: "tcp", url: "ws://127.0.0.1:4500" },
      workers: 3,
    },
  });
});

t.test(
  "settings win over an environment that the host passes on, and that over the config file",
  async (t) => {
    const env = { CODEX_NATIVE_API_PORT: "2", CODEX_NATIVE_API_WORKERS: "2", CODEX_NATIVE_API_ENABLE: "0" };
    const created = createConfigOn(machine, { workers: 1 }, { env });
    t.match(created, { ok: true, config: { enabled: false, listen: { port: 2 }, workers: 1 } });
    t.match(created.ok && created.origins.get("workers"), { layer: "host" });
  },
);

t.test("every fault is named, a mistyped key with what was meant", async (t) => {
  const settings = { listen: { port: 70_000, hots: "::1" }, workers: 0, auth: { token: "two words" } };
  const created = createConfigOn(machine, settings, {});
  t.strictSame(created.ok || created.faults.map(({ source, problem }) => `${source}: ${problem}`), [
    "listen.hots in the host's settings: there is no such key; did you mean listen.host?",
    "listen.port in the host's settings: 70000 is not allowed; it takes an integer from 0 to 65535",
    "auth.token in the host's settings: the value given (not shown) is not allowed; it takes visible ASCII characters without spaces",
    "workers in the host's settings: 0 is not allowed; it takes an integer from 1 to 64",
  ]);
});

t.test("a listener open to other machines is refused for a host too", async (t) => {
  t.match(createConfigOn(machine, { listen: { host: "0.0.0.0" } }, {}), {
    ok: false,
    faults: [{ source: "listen.host in the host's settings", problem: /reachable from other machines/ }],
  });
});

t.test(
  "folders to read from come with commas or as PATH has them, and none is the whole file system",
  async (t) => {
    const given = (readableRoots: readonly string[]) =>
      createConfigOn(machine, { turns: { readableRoots } }, {});
    t.match(given(["/srv/skills", "/srv/more"]), {
      ok: true,
      config: { turns: { readableRoots: ["/srv/skills", "/srv/more"] } },
    });
    t.match(given(["~/skills", "~/"]), {
      config: { turns: { readableRoots: [`${machine.homeDir}/skills`, machine.homeDir] } },
    });
    for (const root of ["/", "skills", "/proc/self", "", "~", "~ada/x", "~/..", "~/../proc", "./x"])
      t.match(given([root]), { ok: false }, root);
    const { type } = options.turns.readableRoots;
    t.strictSame(type.fromText([`/a,/b${delimiter}/c`, "/d"]), ["/a", "/b", "/c", "/d"]);
  },
);
