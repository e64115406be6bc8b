/** Language and theme: all that the page keeps in the browser. */
import { isLanguage, type Language, preferredLanguage } from "../texts/language.js";

export type Theme = "auto" | "light" | "dark";

const themes: readonly Theme[] = ["auto", "light", "dark"];
const themeKey = "codex-native-api.theme";
const languageKey = "codex-native-api.language";

export function nextTheme(theme: Theme): Theme {
  return themes[(themes.indexOf(theme) + 1) % themes.length] ?? "auto";
}

export function keptTheme(): Theme {
  const kept = read(themeKey);
  return themes.find((theme) => theme === kept) ?? "auto";
}

export function applyTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function keepTheme(theme: Theme): void {
  write(themeKey, theme);
}

export function keptLanguage(): Language {
  const kept = read(languageKey);
  return isLanguage(kept) ? kept : preferredLanguage(navigator.languages);
}

export function applyLanguage(language: Language): void {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

export function keepLanguage(language: Language): void {
  write(languageKey, language);
}

/** A browser that lets pages keep nothing throws here: then the choice lasts as long as the page. */
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // As above.
  }
}
