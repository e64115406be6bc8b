import type { Route } from "../data/route.js";

export interface ViewProps {
  readonly route: Route;
}
