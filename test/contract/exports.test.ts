import t from "tap";
import * as surface from "../../src/main/index.js";

t.test("the package exports these values and no others", async (t) => {
  t.same(Object.keys(surface).sort(), [
    "CodexNativeApiError",
    "CodexNativeApiServer",
    "CodexNativeApiService",
    "CodexNativeApiSideTaskError",
    "CodexNativeApiSideTaskRouter",
    "CodexNativeRuntime",
    "InMemoryCodexNativeApiContinuationRegistry",
    "createConfig",
    "readSideTaskSettings",
  ]);
});
