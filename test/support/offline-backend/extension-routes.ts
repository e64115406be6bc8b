import { sendJson } from "./http-exchange.js";
import { isJsonObject, type JsonObject, type JsonValue, parseJsonObject } from "./json.js";
import { readBody } from "./request-body.js";
import { absent, type Exchange, ofFullAccount, type Route, sendNotFound } from "./route.js";

/** An app with one tool, a plugin that the account has installed, and one that it could install. */
const app = { id: "connector-offline-calendar", name: "Offline Calendar", description: "Dates of nobody." };
const installedPlugin = renderPlugin("plugin-offline-notes", "offline-notes", "Offline Notes");
const otherPlugin = renderPlugin("plugin-offline-maps", "offline-maps", "Offline Maps");

/** What the app answers: the account's own data. */
export const calendarDates = "Offline calendar: Tuesday at noon.";

/** What `chatgpt_base_url` is asked for about plugins and apps. */
export const extensionRoutes: readonly Route[] = [
  ofFullAccount("GET", "/plugins/installed", () =>
    page("plugins", [{ ...installedPlugin, enabled: true, disabled_skill_names: [] }]),
  ),
  ofFullAccount("GET", "/plugins/list", () => page("plugins", [installedPlugin, otherPlugin])),
  ofFullAccount("GET", "/plugins/suggested/codex", () => ({
    enabled: true,
    plugins: [
      { id: otherPlugin.id, name: otherPlugin.name, release: { display_name: "Offline Maps", app_ids: [] } },
    ],
  })),
  ofFullAccount("GET", "/plugins/workspace/shared", () => page("plugins", [])),
  ofFullAccount("GET", "/plugins/workspace/created", () => page("plugins", [])),
  // Whether the workspace allows plugins; asked by 0.140.
  ofFullAccount("GET", "/accounts/*/settings", () => ({ beta_settings: { plugins: true } })),
  ofFullAccount("GET", "/plugins/featured", () => [installedPlugin.id]),
  // Says whether plugins of a home are up to date. What it answers is not known; Codex goes on without.
  absent("GET", "/plugins/tooling-state/turtle"),
  ofFullAccount("GET", "/connectors/directory/list", () => ({ apps: [app], next_token: null })),
  ofFullAccount("GET", "/connectors/directory/list_workspace", () => ({ apps: [], next_token: null })),
  { method: "POST", end: "/ps/mcp", answer: serveApps },
  absent("GET", "/ps/mcp"),
  absent("DELETE", "/ps/mcp"),
  // Where Codex looks for a login to the apps when they have refused it.
  ...["/oauth-protected-resource", "/oauth-authorization-server", "/openid-configuration"].flatMap((name) => [
    absent("GET", `/.well-known${name}`),
    absent("GET", `/.well-known${name}/backend-api/ps/mcp`),
  ]),
];

function renderPlugin(id: string, name: string, displayName: string) {
  return {
    id,
    name,
    scope: "GLOBAL",
    status: "ENABLED",
    installation_policy: "AVAILABLE",
    authentication_policy: "ON_USE",
    release: {
      version: "1.0.0",
      display_name: displayName,
      description: `What ${displayName} does.`,
      app_ids: [app.id],
      interface: { short_description: displayName, capabilities: [], screenshot_urls: [] },
      skills: [{ name: `${name}-skill`, description: `A skill of ${displayName}.`, interface: null }],
    },
  };
}

function page(key: string, rows: readonly JsonValue[]): JsonObject {
  return { [key]: rows, pagination: { next_page_token: null } };
}

/** The apps' MCP server: each request answered by one JSON message, without a session. */
async function serveApps(exchange: Exchange): Promise<void> {
  if (exchange.parts.account === "bare") {
    sendNotFound(exchange);
    return;
  }
  const message = parseJsonObject((await readBody(exchange.request)).toString("utf8"));
  if (message?.id === undefined) {
    exchange.response.writeHead(202).end();
    return;
  }
  sendJson(exchange.response, 200, { jsonrpc: "2.0", id: message.id, ...answerCall(message) });
}

function answerCall({ method, params }: JsonObject): JsonObject {
  switch (method) {
    case "initialize": {
      const protocolVersion = isJsonObject(params) ? params.protocolVersion : undefined;
      const serverInfo = { name: "offline-apps", version: "1.0.0" };
      return {
        result: { protocolVersion: protocolVersion ?? "2025-06-18", capabilities: { tools: {} }, serverInfo },
      };
    }
    case "tools/list":
      return { result: { tools: [calendarTool] } };
    case "tools/call":
      return { result: { content: [{ type: "text", text: calendarDates }] } };
    case "ping":
      return { result: {} };
    default:
      return { error: { code: -32601, message: "Method not found" } };
  }
}

const calendarTool: JsonObject = {
  name: "offline_calendar_list_dates",
  title: "List dates",
  description: "The dates of nobody.",
  inputSchema: { type: "object", properties: {} },
  annotations: { readOnlyHint: true },
  _meta: { connector_id: app.id, connector_name: app.name },
};
