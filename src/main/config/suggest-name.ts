/** Which known name a mistyped one most likely means. */

/** The known name that a mistyped one most likely means; null when none is near. */
export function suggestName(given: string, known: readonly string[]): string | null {
  const candidates = known.map((name) => ({ name, distance: nameDistance(given, name) }));
  const near = candidates.filter(({ distance }) => distance < Number.POSITIVE_INFINITY);
  return near.sort((one, other) => one.distance - other.distance)[0]?.name ?? null;
}

/** The names of a list that one of these spellings most likely means, nearest first; empty when none is near. */
export function nearestNames(
  spellings: readonly string[],
  names: readonly string[],
  most: number,
): readonly string[] {
  const candidates = names.map((name) => ({
    name,
    distance: Math.min(...spellings.map((spelling) => foldedDistance(spelling, name))),
  }));
  const near = candidates.filter(({ distance }) => distance < Number.POSITIVE_INFINITY);
  return near
    .sort((one, other) => one.distance - other.distance)
    .slice(0, most)
    .map(({ name }) => name);
}

/** No name is so long: what callers send may be, and is compared with none. */
const maxGivenChars = 256;

/** Infinite for names that are too different. */
function nameDistance(given: string, name: string): number {
  const whole = foldedDistance(given, name);
  // `port` means `listen.port`: the right key in the wrong group is the likeliest mistake in a nested file.
  return name.includes(".") ? Math.min(whole, foldedDistance(lastPart(given), lastPart(name))) : whole;
}

const minPrefixChars = 5;
const maxMissingWords = 2;

function foldedDistance(given: string, name: string): number {
  if (given.length > maxGivenChars) return Number.POSITIVE_INFINITY;
  const wanted = foldName(given);
  if (wanted === foldName(name)) return 0;
  // A name cut short is as likely as a typing error.
  if (wanted.length >= minPrefixChars && foldName(name).startsWith(wanted)) return 1;
  const missing = countMissingWords(given, name);
  if (missing !== null && missing <= maxMissingWords) return missing;
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  const distance = editDistance(wanted, foldName(name), limit + 1);
  return distance > limit ? Number.POSITIVE_INFINITY : distance;
}

/** `maxQueue`, `max-queue` and `CODEX_NATIVE_API_MAX_QUEUE` are one name spelled three ways. */
function foldName(name: string): string {
  return wordsOf(name).join("");
}

/** Without the prefix of variables, which they share: names that are alike in nothing else are not near. */
function wordsOf(name: string): readonly string[] {
  const words = name
    .toLowerCase()
    .split(/[-_]+/)
    .filter((word) => word !== "");
  return `${words.slice(0, 3)}` === "codex,native,api" ? words.slice(3) : words;
}

/** `TOKEN` means `AUTH_TOKEN`. How many words of `name` are left out; null where `given` has others, or none. */
function countMissingWords(given: string, name: string): number | null {
  const [few, all] = [wordsOf(given), wordsOf(name)];
  let found = 0;
  for (const word of all) if (word === few[found]) found += 1;
  return few.length > 0 && found === few.length ? all.length - few.length : null;
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

/** Levenshtein distance; `limit` where it is no less than that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? limit) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? limit) + 1, (current[j - 1] ?? limit) + 1));
    }
    previous = current;
  }
  return Math.min(previous[b.length] ?? limit, limit);
}
