/** What can become of a parameter, in either dialect. */

export type ParameterFate =
  /** Has a native place, or is this service's own to honour. */
  | "mapped"
  /** Has no place: left out and listed in `native_api.ignored_parameters`, or refused, by configuration. */
  | "ignored"
  /** Cannot be left out without changing what is asked for. */
  | "refused";

/** Parameters without a native place: dropped and listed in `native_api.ignored_parameters`, or refused with 400. */
export type UnsupportedParameterPolicy = "ignore" | "reject";

/** Null counts as not given, as with OpenAI. */
export function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}
