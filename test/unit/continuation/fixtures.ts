import {
  InMemoryCodexNativeApiContinuationRegistry,
  type InMemoryContinuationRegistryOptions,
} from "../../../src/main/continuation/in-memory-registry.js";
import type { JsonObject, NewContinuationRecord } from "../../../src/main/continuation/types.js";
