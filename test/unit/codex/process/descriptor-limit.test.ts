import { spawnSync } from "node:child_process";
import t from "tap";
import {
  measureDescriptorRoom,
  readDescriptorLimit,
} from "../../../../src/main/codex/process/descriptor-limit.js";

t.test("a limit with room for every connection has no fault", async (t) => {
  for (const limit of [4096 + 128, 1_048_576]) {
    t.same(measureDescriptorRoom(limit, 4096), { limit, connections: 4096, fault: null });
  }
});

t.test("a lower limit names the connections that fit, and the limit needed for all", async (t) => {
  const { limit, connections, fault } = measureDescriptorRoom(4096 + 127, 4096);
  t.same({ limit, connections }, { limit: 4223, connections: 4095 });
  t.match(fault, /limit of 4223 open files .* room for 4095 connections, but http\.maxConnections is 4096\./);
  t.match(fault, /ulimit -n 4224.*LimitNOFILE=4224/);
  t.equal(measureDescriptorRoom(256, 4096).connections, 128);
});

t.test("even the lowest limit allows some connections, and never more than configured", async (t) => {
  for (const limit of [0, 64, 128, 140]) t.equal(measureDescriptorRoom(limit, 4096).connections, 16);
  t.same(measureDescriptorRoom(64, 8), { limit: 64, connections: 8, fault: null });
});

t.test(
  "it reads the limit of this process",
  { skip: process.platform === "linux" ? false : "the limit is read from /proc" },
  async (t) => {
    const { stdout } = spawnSync("/bin/sh", ["-c", "ulimit -n"], { encoding: "utf8" });
    const printed = stdout.trim();
    t.equal(await readDescriptorLimit(), printed === "unlimited" ? null : Number(printed));
  },
);
