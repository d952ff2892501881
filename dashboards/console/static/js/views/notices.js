import { t } from "../i18n.js";
import { html, nothing } from "../lib.js";
import { setPrefs, prefs } from "../prefs.js";
import { invalidate, state } from "../state.js";
import { icon } from "./icon.js";

const command = (text) => html`<pre><code>${text}</code></pre>`;

/** A page of its own when there is nothing else to show, or null. */
export function notice() {
  if (state.access === "denied") return full("denied", "shield-alert", ["./pulse status"]);
  if (!state.streamsLoaded && state.streamsError) return full("error", "unplug", ["./pulse status", "./pulse doctor"]);
  if (!state.streamsLoaded) return html`<div class="notice"><p class="quiet-note">${t("streams.loading")}</p></div>`;
  if (!state.streams.size) return full("empty", "radio", ["./pulse demo", "pulse replay FILE"], t("empty.then"));
  return null;
}

function full(name, symbol, commands, after = "") {
  return html`<main class="notice" data-test=${`notice-${name}`}><div class="notice-card">
    <span class="notice-icon">${icon(symbol)}</span><h2>${t(`${name}.title`)}</h2><p>${t(`${name}.text`)}</p>
    ${commands.map(command)}${after ? html`<p>${after}</p>` : nothing}</div></main>`;
}

const KEYS = [
  ["J / K", "streams"], ["/", "search"], ["L", "live"], ["← / →", "pan"], ["+ / −", "zoom"], ["A / M", "alerts"],
  ["T", "theme"], ["?", "help"],
];

/** The list of keys; a native dialog, so that focus stays in it. */
export function helpDialog() {
  return html`<dialog class="help" aria-labelledby="help-title" data-test="help-dialog" @close=${closed}>
    <header><h2 id="help-title">${t("help.title")}</h2>
      <button class="icon-button" aria-label=${t("close")} @click=${closed}>${icon("x")}</button></header>
    <dl>${KEYS.map(([keys, name]) => html`<div><dt>${keys.split(" / ").map((key) => html`<kbd>${key}</kbd>`)}</dt>
      <dd>${t(`help.${name}`)}</dd></div>`)}</dl>
    <p>${t("help.charts")}</p>
    <label class="check"><input type="checkbox" .checked=${prefs.shortcuts}
      @change=${(event) => setPrefs({ shortcuts: event.target.checked })}>${t("help.enable")}</label></dialog>`;
}

function closed() {
  state.help = false;
  invalidate();
}

/** Opens or closes the dialog as the state says. */
export function syncDialog() {
  const dialog = document.querySelector("dialog.help");
  if (!dialog) return;
  if (state.help && !dialog.open) dialog.showModal();
  if (!state.help && dialog.open) dialog.close();
}
