/** The known name that a mistyped one most likely means, or null when none is near. */
export function suggestName(given: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const distance = nameDistance(given, name);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Infinite for names too far apart to mean each other. */
function nameDistance(given: string, name: string): number {
  const whole = foldedDistance(given, name);
  // `port` means `listen.port`: the right key in the wrong group is the likeliest slip in a nested file.
  return name.includes(".") ? Math.min(whole, foldedDistance(lastPart(given), lastPart(name))) : whole;
}

const minPrefixChars = 5;

function foldedDistance(given: string, name: string): number {
  const wanted = foldName(given);
  // A name cut short is as likely as a slip of the finger.
  if (wanted.length >= minPrefixChars && foldName(name).startsWith(wanted)) return 1;
  const limit = Math.max(2, Math.floor(wanted.length / 4));
  const distance = editDistance(wanted, foldName(name), limit + 1);
  return distance > limit ? Number.POSITIVE_INFINITY : distance;
}

/** `maxQueue`, `max-queue` and `MAX_QUEUE` are one name spelled three ways. */
function foldName(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, "");
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

/** Levenshtein distance, given up as `limit` once it cannot be less. */
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
