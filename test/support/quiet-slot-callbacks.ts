/** For a worker's slot whose news nobody waits for. */
export const quietSlotCallbacks = {
  onConnection: () => {},
  onAccountChanged: () => {},
  onRateLimits: () => {},
  onChild: () => {},
  onThreadGone: () => {},
  onLost: () => {},
};
