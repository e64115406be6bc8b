/** On every answer: no cache keeps it, and no browser guesses its type from its content. */
export const commonHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;
