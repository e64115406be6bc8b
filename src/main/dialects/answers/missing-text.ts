/**
 * What `whole` has beyond the text already shown, and what of the shown text belongs to the part after it. Text that is no
 * beginning of `whole` cannot be mended by a delta; then the part's done event tells the truth.
 */
export function missingText(
  shown: string,
  whole: string,
): { readonly rest: string; readonly surplus: string } {
  if (whole.startsWith(shown)) return { rest: whole.slice(shown.length), surplus: "" };
  if (shown.startsWith(whole)) return { rest: "", surplus: shown.slice(whole.length) };
  return { rest: "", surplus: "" };
}
