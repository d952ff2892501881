// Single-key shortcuts; off in fields, with modifiers, and where a person switched them off (WCAG 2.1.4).

import { prefs } from "./prefs.js";
import { invalidate, state } from "./state.js";
import { toggleTheme } from "./theme.js";
import { pan, showLive, zoom } from "./view.js";
import { showTab } from "./views/panel.js";
import { matching } from "./views/streamlist.js";
import { stepStream } from "./views/streamview.js";

const ACTIONS = {
  j: () => stepStream(matching(), 1),
  k: () => stepStream(matching(), -1),
  "/": () => document.querySelector("[data-test=stream-search]")?.focus(),
  l: () => showLive(),
  ArrowLeft: () => pan(-0.25),
  ArrowRight: () => pan(0.25),
  "+": () => zoom(0.5),
  "=": () => zoom(0.5),
  "-": () => zoom(2),
  a: () => showTab("alerts"),
  m: () => showTab("messages"),
  t: () => toggleTheme(),
  "?": () => { state.help = true; },
};

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input, select, textarea, dialog");
    if (!prefs.shortcuts || field || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = ACTIONS[event.key] ?? ACTIONS[event.key.toLowerCase()];
    if (!action || !state.streams.size) return;
    event.preventDefault();
    action();
    invalidate();
  });
}
