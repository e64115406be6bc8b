/** A fake app-server for tests of the supervision: `node scripted-app-server.js SCRIPT --listen unix://PATH`. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";

const [script, , url] = process.argv.slice(2);
const socketPath = (url ?? "").replace(/^unix:\/\//, "");

function listen(): void {
  createServer((socket) => socket.on("error", () => undefined)).listen(socketPath);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

switch (script) {
  case "listen":
    say("\u001b[31mscripted app-server\u001b[0m listening");
    process.on("SIGTERM", () => process.exit(0));
    listen();
    break;
  case "drain": {
    // Like Codex with a running turn: it waits for the turn on the first SIGTERM, and ends on the second.
    let terms = 0;
    process.on("SIGTERM", () => {
      terms += 1;
      if (terms === 2) process.exit(0);
    });
    listen();
    break;
  }
  case "deaf":
    process.on("SIGTERM", () => undefined);
    listen();
    break;
  case "die":
    say("no such luck");
    process.exitCode = 7;
    break;
  case "silent":
    setInterval(() => undefined, 60_000);
    break;
  case "refuse":
    say("ERROR codex_app_server: Invalid configuration; using defaults. Model provider `nope` not found");
    listen();
    break;
  case "with-child": {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 60_000)"], { stdio: "ignore" });
    say(`child ${child.pid}`);
    process.on("SIGTERM", () => process.exit(0));
    listen();
    break;
  }
  default:
    say(`unknown script ${script}`);
    process.exitCode = 2;
}
