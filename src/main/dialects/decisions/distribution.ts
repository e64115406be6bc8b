/**
 * Probabilities as a model states them, made into distributions. The confidence of each kind is OpenAI's: both formulas give what its API
 * was seen to answer (levels with 0.06, 0.94 and 0: 0.91).
 */

/**
 * Scales probabilities so that they sum to exactly 1, added in their order, and so that the likeliest stays the first of the likeliest;
 * null where all are 0, which says nothing.
 *
 * @param stated each from 0 to 1.
 */
export function normalize(stated: readonly number[]): readonly number[] | null {
  const total = sum(stated);
  if (total === 0) return null;
  const top = indexOfLargest(stated);
  const scaled = stated.map((probability) => probability / total);
  // What rounding left over goes to the largest. A correction may be rounded itself.
  const corrected = [...scaled];
  for (let round = 0; round < mostCorrections && sum(corrected) !== 1; round += 1) {
    corrected[top] = Math.min(1, (corrected[top] ?? 0) + (1 - sum(corrected)));
  }
  return sum(corrected) === 1 && indexOfLargest(corrected) === top ? corrected : toSteps(scaled, top);
}

const mostCorrections = 4;

/** Sums of so fine steps up to 1 are not rounded. */
const stepsOfOne = 2 ** 52;

/** Rounds down to steps, which changes no order, and gives the likeliest what that leaves: a few parts in 10^13 at most. */
function toSteps(scaled: readonly number[], top: number): readonly number[] {
  // Less by what rounding may have made their sum larger than 1.
  const steps = stepsOfOne - 2 * scaled.length;
  const rounded = scaled.map((probability) => Math.floor(probability * steps) / stepsOfOne);
  const rest = 1 - sum(rounded);
  return rounded.map((probability, index) => (index === top ? probability + rest : probability));
}

/**
 * Probabilities of all values, of which a model named the likeliest: what those leave is spread evenly over the others, of which none
 * becomes likelier than one that was named.
 *
 * @param named by index.
 */
export function spread(named: ReadonlyMap<number, number>, count: number): readonly number[] {
  const stated = [...named.values()];
  const rest = Math.max(0, 1 - sum(stated)) / Math.max(1, count - named.size);
  const others = Math.min(rest, ...stated);
  return Array.from({ length: count }, (_, index) => named.get(index) ?? others);
}

export function indexOfLargest(values: readonly number[]): number {
  return values.reduce((top, value, index) => (value > (values[top] ?? 0) ? index : top), 0);
}

/** 0 where all values are equally likely, 1 where one is certain. */
export function choiceConfidence(probabilities: readonly number[]): number {
  const even = 1 / probabilities.length;
  const lead = Math.max(...probabilities) - even;
  return lead < rounding ? 0 : clamp(lead / (1 - even));
}

/** Equal probabilities differ by less, where they cannot sum to 1 otherwise. */
const rounding = 1e-12;

/** 1 where one level is certain, 0 where levels are as far from the likeliest as equally likely ones are from the middle. */
export function scoreConfidence(probabilities: readonly number[]): number {
  const { length } = probabilities;
  const top = indexOfLargest(probabilities);
  const middle = (length - 1) / 2;
  const distance = sum(probabilities.map((probability, level) => probability * Math.abs(level - top)));
  const evenDistance = sum(probabilities.map((_, level) => Math.abs(level - middle))) / length;
  return clamp(1 - distance / evenDistance);
}

/** The mean of the levels, the lowest being 0. */
export function meanLevel(probabilities: readonly number[]): number {
  const mean = sum(probabilities.map((probability, level) => probability * level));
  return Math.min(mean, probabilities.length - 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
