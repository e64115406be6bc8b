/** The shape of a service's options, and of the configuration in them. */
import { findConfigFaults } from "../config/inspect-config.js";
import { allOptions } from "../config/options.js";
import { suggestName } from "../config/suggest-name.js";
import { isRequestStore } from "../observability/requests/request-log.js";
import {
  findOptionFaults,
  hasMethods,
  isAny,
  isEnvironment,
  isLogger,
  isText,
  optional,
  refuseFaults,
  required,
} from "../option-shapes.js";

const shapes = {
  // Its parts are checked by name.
  config: required("a configuration from createConfig", isAny),
  logger: optional("a pino logger", isLogger),
  environment: optional("an object of variables, such as process.env", isEnvironment),
  providerProfileId: optional("a text that is not empty", isText),
  accountId: optional("a text that is not empty", isText),
  registry: optional("a CodexNativeApiContinuationRegistry", (value) =>
    hasMethods(value, "put", "get", "has", "delete", "stats"),
  ),
  requestStore: optional("a CodexNativeApiRequestStore", isRequestStore),
};

/** @throws TypeError that names every option, and every part of the configuration, of the wrong shape. */
export function checkServiceOptions(options: unknown): void {
  const faults = findOptionFaults(options, shapes, suggestPlace);
  const config: unknown =
    typeof options === "object" && options !== null ? Reflect.get(options, "config") : undefined;
  refuseFaults("CodexNativeApiService", [
    ...faults,
    ...(config === undefined ? [] : findConfigFaults(config)),
  ]);
}

/** @throws TypeError that names every part of the wrong shape. */
export function checkConfig(config: unknown): void {
  refuseFaults("CodexNativeApiService", findConfigFaults(config));
}

/** Where a setting goes that another program has among its options, such as `port`. */
function suggestPlace(name: string): string {
  const known = suggestName(name, Object.keys(shapes));
  if (known !== null) return `; did you mean ${known}?`;
  const key = suggestName(
    name,
    allOptions.map((spec) => spec.key),
  );
  return key === null ? "" : `; did you mean createConfig with ${key}?`;
}
