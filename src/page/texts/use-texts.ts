import { useContext } from "preact/hooks";
import { LanguageContext } from "../data/page-context.js";
import { type Formats, formatsOf } from "./format.js";
import type { Dictionary, Language, Texts } from "./language.js";

/** The texts in the page's language. */
export function useTexts<T extends Texts>(dictionary: Dictionary<T>): Dictionary<T>[Language] {
  return dictionary[useContext(LanguageContext)];
}

/** Numbers, times and sizes as the page's language writes them. */
export function useFormats(): Formats {
  return formatsOf(useContext(LanguageContext));
}
