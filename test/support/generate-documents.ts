/** Writes the files that are made from the code. Run from the repository's root. */
import { readFile, writeFile } from "node:fs/promises";
import { cliPagePath, renderCliPage } from "./cli-documents.js";
import {
  configDocumentPaths,
  renderEnvironmentExample,
  renderFileExample,
  renderFileSchema,
  renderReference,
} from "./config-documents.js";
import { dashboardFile, renderDashboard } from "./grafana-dashboard.js";
import { openApiFile, renderOpenApiFile } from "./openapi-file.js";
import { errorsPagePath, renderErrorsPage } from "./upstream-document.js";

const paths = configDocumentPaths;
await writeFile(paths.environmentExample, renderEnvironmentExample());
await writeFile(paths.fileExample, renderFileExample());
await writeFile(paths.fileSchema, renderFileSchema());
await writeFile(paths.reference, renderReference(await readFile(paths.reference, "utf8")));
await writeFile(cliPagePath, renderCliPage(await readFile(cliPagePath, "utf8")));
await writeFile(openApiFile, renderOpenApiFile());
await writeFile(errorsPagePath, renderErrorsPage(await readFile(errorsPagePath, "utf8")));
await writeFile(dashboardFile, renderDashboard());
