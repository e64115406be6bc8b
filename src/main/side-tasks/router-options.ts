import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { MetadataLevel } from "../observability/task-metadata.js";
import type { SideTaskRuntime, SideTaskService } from "./direct-route.js";
import type { SideTaskLimits } from "./limits.js";
import type { SideTaskClassOverrides } from "./task-classes.js";
import type { SideTaskEvent, SideTaskSettings } from "./types.js";

/** Routes and bounds of a `CodexNativeApiSideTaskRouter`. */
export interface CodexNativeApiSideTaskRouterOptions {
  /** As `readSideTaskSettings` reads it; a null in it switches a route off. */
  readonly settings: SideTaskSettings;
  /** For the direct route: the host's own runtime, which the host starts and closes. Default: none. */
  readonly runtime?: SideTaskRuntime;
  /**
   * For the direct route: a service in the host's own process. Tasks run on its present run, through restarts and on whichever port,
   * and the localhost route is skipped. Takes no `runtime` beside it. Default: none.
   */
  readonly service?: SideTaskService;
  /** Changes to the settings of each class of task. */
  readonly taskClasses?: SideTaskClassOverrides;
  /** Folders below which a task's `files` may be. Default: none, and no file is read. */
  readonly roots?: readonly string[];
  readonly limits?: Partial<SideTaskLimits>;
  readonly logger?: Logger;
  /** Level at which the tasks' metadata is logged, which may be private; `silent`: never. Default `silent`. */
  readonly metadataLevel?: MetadataLevel;
  /** Called with each event, before the router continues. What it throws, or rejects with, is logged (`side_task.listener_failed`). Default: none. */
  readonly onEvent?: (event: SideTaskEvent) => void;
  /** The host's Prometheus registry (prom-client), on which side tasks are counted. Default: none. */
  readonly registry?: Registry;
  /** Monotonic, in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}
