/** On every answer: nothing is kept of it, and its kind is not guessed from what is in it. */
export const commonHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;
