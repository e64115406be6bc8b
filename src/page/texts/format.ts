/** Numbers and times as a language writes them. Made once for each language: Intl's own are slow to make. */
import type { Language } from "./language.js";

export interface Formats {
  /** 12,345 */
  count(value: number): string;
  /** 12.3K, or 1.2万 */
  short(value: number): string;
  /** Of a ratio: 42 %, or 4.2 % where it is small. */
  percent(ratio: number): string;
  /** How long something took: 42 ms, 1.27 s, 12.3 s, 2 min 5 s. */
  duration(ms: number): string;
  /** The same with a decimal below ten milliseconds: 1.4 ms. */
  fine(ms: number): string;
  /** How long something goes on, in its two largest units: 3 d 4 h, 4 h 12 min, 12 s. */
  span(ms: number): string;
  /** The same in whole minutes, and in hours from a day on. */
  coarseSpan(ms: number): string;
  /** 14:05:09 */
  clock(epochMs: number): string;
  /** 14:05, with the day where it is another one than today. */
  moment(epochMs: number, nowMs: number): string;
  /** With date and seconds. */
  dateTime(epochMs: number): string;
}

const made = new Map<Language, Formats>();

export function formatsOf(language: Language): Formats {
  const known = made.get(language) ?? makeFormats(language);
  made.set(language, known);
  return known;
}

function percentDigits(ratio: number): number {
  if (ratio === 0 || ratio >= 0.1) return 0;
  return ratio < 0.001 ? 2 : 1;
}

const locales = { en: "en-US", zh: "zh-CN" } as const;

function makeFormats(language: Language): Formats {
  const locale = locales[language];
  const number = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options);
  const date = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options);
  const unit = (name: string, maximumFractionDigits = 0) =>
    number({ style: "unit", unit: name, unitDisplay: "narrow", maximumFractionDigits });
  const whole = number({ maximumFractionDigits: 0 });
  const compact = number({ notation: "compact", maximumFractionDigits: 1 });
  const percents = [0, 1, 2].map((digits) => number({ style: "percent", maximumFractionDigits: digits }));
  const units = {
    millisecond: unit("millisecond"),
    millisecond1: unit("millisecond", 1),
    second: unit("second"),
    second1: unit("second", 1),
    second2: unit("second", 2),
    minute: unit("minute"),
    hour: unit("hour"),
    day: unit("day"),
  };
  const clock = date({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const time = date({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = date({ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const full = date({ dateStyle: "medium", timeStyle: "medium" });
  const duration = (ms: number): string => {
    if (ms < 999.5) return units.millisecond.format(Math.round(ms));
    if (ms < 10_000) return units.second2.format(ms / 1_000);
    return ms < 60_000 ? units.second1.format(ms / 1_000) : span(ms);
  };
  const span = (ms: number): string => {
    const seconds = Math.max(0, Math.round(ms / 1_000));
    const two = (large: string, small: string, rest: number) => (rest === 0 ? large : `${large} ${small}`);
    if (seconds < 60) return units.second.format(seconds);
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60)
      return two(units.minute.format(minutes), units.second.format(seconds % 60), seconds % 60);
    const hours = Math.floor(minutes / 60);
    if (hours < 48) return two(units.hour.format(hours), units.minute.format(minutes % 60), minutes % 60);
    return two(units.day.format(Math.floor(hours / 24)), units.hour.format(hours % 24), hours % 24);
  };
  return {
    count: (value) => whole.format(value),
    short: (value) => (Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value)),
    percent: (ratio) => (percents[percentDigits(ratio)] ?? whole).format(ratio),
    duration,
    fine: (ms) => (ms < 9.95 ? units.millisecond1.format(ms) : duration(ms)),
    span,
    coarseSpan: (ms) => span(ms < 60_000 ? ms : Math.round(ms / 60_000) * 60_000),
    clock: (epochMs) => clock.format(epochMs),
    moment: (epochMs, nowMs) =>
      (new Date(epochMs).toDateString() === new Date(nowMs).toDateString() ? time : day).format(epochMs),
    dateTime: (epochMs) => full.format(epochMs),
  };
}
