const colors: ReadonlyMap<string, number> = new Map([
  ["responses", 1],
  ["chat/completions", 2],
  ["decisions", 3],
]);

/** A route without what all have in common. */
export function routeName(route: string | null): string {
  return route?.replace(/^\/v1\//, "") ?? "–";
}

/** The same colour for a route in every plot. */
export function routeColor(name: string): number {
  return colors.get(name) ?? 4;
}
