import { EventFeed } from "../../src/main/http/event-feed.js";
import { describeState } from "../../src/main/http/state-report.js";
import { readyHealth } from "./fake-runtime.js";

/** A feed of events in which nothing happens. */
export function createQuietFeed(): EventFeed {
  return new EventFeed({
    describeState: () => describeState(readyHealth),
    subscribe: () => () => {},
    admit: () => null,
    wallClock: () => 0,
    clock: () => 0,
  });
}
