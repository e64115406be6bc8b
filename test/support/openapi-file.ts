/** The OpenAPI document as a file, for those who want to read it without a service. */
import { buildOpenApiDocument } from "../../src/main/http/openapi/document.js";
import { packageVersion } from "../../src/main/version.js";
import { routes } from "./registered-routes.js";

export const openApiFile = "docs/openapi.json";

export function renderOpenApiFile(): string {
  const document = buildOpenApiDocument({
    version: packageVersion,
    serverUrl: "http://127.0.0.1:43182",
    routes,
  });
  return `${JSON.stringify(document, null, 2)}\n`;
}
