// Words of the page in the chosen language. Keys missing in a language fall back to English.

import en from "./locales/en.js";
import ru from "./locales/ru.js";
import { prefs } from "./prefs.js";

const LOCALES = { en, ru };

/** The language in use: the person's choice, else the browser's, else English. */
export function language() {
  if (LOCALES[prefs.lang]) return prefs.lang;
  const wanted = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => LOCALES[tag]) ?? "en";
}

/** The word for `key`, `{name}` replaced; `{count}` picks among plural forms where the entry has them. */
export function t(key, values = {}) {
  let entry = LOCALES[language()][key] ?? en[key] ?? key;
  if (typeof entry === "object") {
    const form = new Intl.PluralRules(language()).select(values.count ?? 0);
    entry = entry[form] ?? entry.other;
  }
  return entry.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The word for `key`, or `fallback` where no language knows it (a kind or label newer than this page). */
export function tOr(key, fallback) {
  return key in en ? t(key) : fallback;
}
