/** What the service does now: whether it is ready, what runs, and how the last requests went. */
import { usePageState } from "../../data/page-context.js";
import type { ViewProps } from "../../data/route.js";
import { FiguresSection } from "./figures-section.js";
import { LiveTurns } from "./live-turns.js";
import { PlanWindows } from "./plan-windows.js";
import { Standing } from "./standing.js";

export function NowView(_props: ViewProps) {
  const service = usePageState((state) => state.service);
  return (
    <div class="now">
      <Standing service={service} />
      {service !== null && (
        <>
          <div class="columns">
            <PlanWindows windows={service.plan_windows} />
            <LiveTurns />
          </div>
          <FiguresSection />
        </>
      )}
    </div>
  );
}
