export const turnPriorities = ["interactive", "background"] as const;

/** `background`: for batches. They run when no interactive turn waits, and now and then when one does. */
export type TurnPriority = (typeof turnPriorities)[number];
