/** Chooses the colours of a picture of few colours, as a user interface is one. */
import type { Picture } from "./png-pixels.js";

export interface Palette {
  readonly colours: readonly number[];
  /** Number of the colour that is nearest to this one. */
  indexOf(colour: number): number;
}

/** The commonest colours of all frames, as far as they differ visibly, at most `most` of them. */
export function chooseColours(frames: readonly Picture[], most: number): Palette {
  const counts = new Map<number, number>();
  for (const { pixels } of frames) {
    for (let at = 0; at < pixels.length; at += 3) {
      const colour = ((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  }
  const byCount = [...counts].sort(([, one], [, other]) => other - one).map(([colour]) => colour);
  const colours = pickDistinct(byCount, most);
  const nearest = new Map<number, number>();
  return {
    colours,
    indexOf: (colour) => {
      const known = nearest.get(colour);
      if (known !== undefined) return known;
      const index = findNearest(colours, colour);
      nearest.set(colour, index);
      return index;
    },
  };
}

/** As fine a distinction as there is room for. */
function pickDistinct(byCount: readonly number[], most: number): readonly number[] {
  for (let least = 0; ; least = least * 2 + 24) {
    const picked: number[] = [];
    for (const colour of byCount) {
      if (least > 0 && picked.some((other) => distanceOf(colour, other) < least)) continue;
      picked.push(colour);
      if (picked.length > most) break;
    }
    if (picked.length <= most) return picked;
  }
}

function findNearest(colours: readonly number[], colour: number): number {
  let best = 0;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const [index, candidate] of colours.entries()) {
    const distance = distanceOf(candidate, colour);
    if (distance >= bestDistance) continue;
    best = index;
    bestDistance = distance;
  }
  return best;
}

function distanceOf(one: number, other: number): number {
  const [red, green, blue] = [16, 8, 0].map((shift) => ((one >> shift) & 255) - ((other >> shift) & 255));
  return (red ?? 0) ** 2 + (green ?? 0) ** 2 + (blue ?? 0) ** 2;
}
