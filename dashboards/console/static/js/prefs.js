// What a person chose for this browser; kept in localStorage where the browser allows it.

const KEY = "pulse.console";
const DEFAULTS = { theme: "", lang: "", emotionMode: "stacked", timeMode: "", shortcuts: true };

function load() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

export const prefs = load();

/** Changes preferences and keeps them; without storage they last as long as the page. */
export function setPrefs(changes) {
  Object.assign(prefs, changes);
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    return;
  }
}

/** light or dark, as shown now. */
export function theme() {
  if (prefs.theme) return prefs.theme;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Puts the chosen theme on the document; without a choice the style sheet follows the system. */
export function applyTheme() {
  if (prefs.theme) document.documentElement.dataset.theme = prefs.theme;
  else delete document.documentElement.dataset.theme;
}
