import type { FunctionComponent } from "preact";
import type { ViewName, ViewProps } from "../data/route.js";
import { NowView } from "./now/now-view.js";
import { RequestsView } from "./requests/requests-view.js";
import { TryView } from "./try/try-view.js";
import { UsageView } from "./usage/usage-view.js";

export const viewTable: Readonly<Record<ViewName, FunctionComponent<ViewProps>>> = {
  now: NowView,
  requests: RequestsView,
  try: TryView,
  usage: UsageView,
};
