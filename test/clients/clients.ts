/** The clients, each at one version. Later versions are added here, and the table of docs/clients.md is run again. */
import { join } from "node:path";
import { clientsCache, fetchNode } from "../support/fetch-node.js";
import { installPackages } from "../support/npm-install.js";
import { fetchCodex, versionsCache } from "../versions/fetch-codex.js";
import { type AgentProgram, agentPrograms } from "./agent-programs.js";
import { runAgent } from "./agents.js";
import type { Outcome } from "./capabilities.js";
import { runCodex } from "./codex.js";
import { type Library, runLibrary } from "./libraries.js";
import type { ClientsService } from "./service.js";

/** A program of others that asks the service. */
export interface Client {
  /** With its version. */
  readonly name: string;
  /** Throws where it cannot be had here. */
  install(): Promise<void>;
  run(service: ClientsService): Promise<readonly Outcome[]>;
}

/** Some clients need a newer Node than this project. */
const newerNode = "24.19.0";

function codex(version: string, model: string, websockets: boolean): Client {
  return {
    name: `codex exec ${version}, ${model}, ${websockets ? "WebSocket" : "HTTP"}`,
    install: async () => void (await fetchCodex(version, versionsCache)),
    run: (service) => runCodex({ version, model, websockets }, service),
  };
}

function agent(program: AgentProgram): Client {
  const { name, packages, entry, native } = program;
  const specs = Object.entries(packages).map(([key, version]) => `${key}@${version}`);
  const [version] = Object.values(packages);
  const home = join(clientsCache, specs.join("+").replaceAll("/", "-"));
  return {
    name: `${name} ${version}`,
    install: async () => {
      await installPackages(home, specs);
      if (!native) await fetchNode(newerNode);
    },
    run: async (service) => {
      const path = join(home, "node_modules", entry);
      return runAgent({ ...program, command: native ? [path] : [await fetchNode(newerNode), path] }, service);
    },
  };
}

function library(
  name: string,
  program: Library["program"],
  packages: Readonly<Record<string, string>>,
  needsNewerNode = true,
): Client {
  const [version] = Object.values(packages);
  const home = join(clientsCache, `${program}-${version}`);
  return {
    name: `${name} ${version}`,
    install: async () => {
      const specs = Object.entries(packages).map(([key, value]) => `${key}@${value}`);
      await installPackages(home, [...specs, "zod@4.6.7"]);
      if (needsNewerNode) await fetchNode(newerNode);
    },
    run: async (service) =>
      runLibrary(
        { program, home, node: needsNewerNode ? await fetchNode(newerNode) : process.execPath },
        service,
      ),
  };
}

const codexClients = ["0.160.1", "0.169.0", "0.171.0"].flatMap((version) =>
  ["gpt-5.5", "gpt-5.6-sol"].flatMap((model) =>
    [false, true].map((websockets) => codex(version, model, websockets)),
  ),
);

export const clients: readonly Client[] = [
  ...codexClients,
  library("openai", "openai", { openai: "6.49.0", ws: "8.23.0" }, false),
  library("openai", "openai", { openai: "7.59.0", ws: "8.23.0" }),
  library("@openai/agents", "agents", { "@openai/agents": "0.20.0" }),
  library("AI SDK", "ai-sdk", { ai: "7.0.173", "@ai-sdk/openai": "4.0.118" }),
  library("LangChain", "langchain", {
    "@langchain/openai": "1.6.0",
    "@langchain/core": "1.4.0",
  }),
  ...agentPrograms.map(agent),
];
