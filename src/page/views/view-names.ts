/** In the order of the navigation. The first is where the page opens. */
export const viewNames = ["now", "requests", "try", "usage"] as const;
export type ViewName = (typeof viewNames)[number];

export function isViewName(name: string): name is ViewName {
  return viewNames.some((known) => known === name);
}
