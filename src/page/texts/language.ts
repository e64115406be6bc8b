/** The page's languages. Texts are declared for both at once: one that is missing in either is a type error. */
export const languages = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof languages;

/** A text, or a function that makes one. */
type Text = string | ((...values: never[]) => string);
export type Texts = Readonly<Record<string, Text>>;
type InAnotherLanguage<T extends Texts> = {
  readonly [Key in keyof T]: T[Key] extends string ? string : T[Key];
};

export interface Dictionary<T extends Texts> {
  readonly en: T;
  readonly zh: InAnotherLanguage<T>;
}

/** The English texts say which there are. */
export function defineTexts<T extends Texts>(en: T, zh: InAnotherLanguage<NoInfer<T>>): Dictionary<T> {
  return { en, zh };
}

export function isLanguage(text: string | null): text is Language {
  return text !== null && Object.hasOwn(languages, text);
}

/** The first of the person's languages that the page has. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split("-", 1)[0] ?? "";
    if (isLanguage(language)) return language;
  }
  return "en";
}
