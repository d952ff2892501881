import { recolour } from "./charts/group.js";
import { applyTheme, setPrefs, theme } from "./prefs.js";
import { invalidate } from "./state.js";

export function toggleTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const next = theme() === "dark" ? "light" : "dark";
  setPrefs({ theme: next === system ? "" : next });
  applyTheme();
  recolour();
  invalidate();
}

/** Follows the system's theme and the screen's pixel density. */
export function watchTheme() {
  applyTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
}
