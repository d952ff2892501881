// Colours of the charts, read from the style sheet, so that themes are defined in one place.

import { BASIC } from "../series.js";

const NAMES = [
  "text", "text-muted", "grid", "surface", "accent", "good", "bad", "mid", "rate", "rate-strong", "toxic", "hate",
  "nodata", "unscored", "info", "low", "medium", "high", "critical", ...[...BASIC, "neutral"].map((b) => `emotion-${b}`),
];

let colours = null;

/** Colours by name as rgb() strings; cached until `forgetPalette`. */
export function palette() {
  if (colours) return colours;
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  colours = {};
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colours;
}

/** To be called when the theme changes. */
export function forgetPalette() {
  colours = null;
}

/** The colour with an opacity of `alpha`. */
export function fade(colour, alpha) {
  const parts = colour.match(/[\d.]+/g) ?? ["128", "128", "128"];
  return `rgba(${parts[0]}, ${parts[1]}, ${parts[2]}, ${alpha})`;
}
