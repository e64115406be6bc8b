import { accountRoutes } from "./account-routes.js";
import type { AskedRequest, AskedRoutes } from "./asked-routes.js";
import { extensionRoutes } from "./extension-routes.js";
import { loginRoutes } from "./login-routes.js";
import { modelRoutes } from "./model-routes.js";
import { type Exchange, isFor, type Route, sendNotFound } from "./route.js";

/** Every route that the official client was seen to ask for, in each kind of login. */
const routes: readonly Route[] = [...modelRoutes, ...loginRoutes, ...accountRoutes, ...extensionRoutes];

/** Everything that is plain HTTP. What the table does not have is a 404, and kept by name. */
export async function routeHttp(
  exchange: Exchange,
  request: AskedRequest,
  asked: AskedRoutes,
): Promise<void> {
  const route = routes.find((row) => isFor(row, request.method, request.path));
  if (route === undefined) {
    exchange.parts.counters.unknownRoutes++;
    asked.addUnknown(request);
    sendNotFound(exchange);
    return;
  }
  await route.answer(exchange);
}
