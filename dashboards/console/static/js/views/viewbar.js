import { timeMode } from "../format.js";
import { t } from "../i18n.js";
import { html } from "../lib.js";
import { setPrefs } from "../prefs.js";
import { RANGES_MS, invalidate, state } from "../state.js";
import { duration } from "../format.js";
import { pan, setRange, showAll, showLive, zoom } from "../view.js";
import { icon } from "./icon.js";

/** Buttons for the span in view. */
export function viewBar(stream) {
  return html`<div class="viewbar" role="toolbar" aria-label=${t("view.group")}>
    <div class="segmented" role="group" aria-label=${t("view.group")}>
      ${RANGES_MS.map((span) => html`<button aria-pressed=${!state.view.all && near(state.view.span, span) ? "true" : "false"}
        data-test=${`range-${span / 60e3}`} @click=${() => setRange(span)}>${duration(span / 1000)}</button>`)}
      <button data-test="range-all" aria-pressed=${state.view.all ? "true" : "false"} @click=${showAll}>${t("view.all")}</button></div>
    <div class="segmented wide-only">
      ${tool("chevron-left", "view.earlier", () => pan(-0.5))}${tool("zoom-out", "view.zoomOut", () => zoom(2))}
      ${tool("zoom-in", "view.zoomIn", () => zoom(0.5))}${tool("chevron-right", "view.later", () => pan(0.5))}</div>
    <span class="spacer"></span>
    <button class="button button-quiet" title=${t("view.time")} data-test="time-mode" @click=${() => switchTime(stream)}>
      ${icon("clock")}<span>${t(`view.time.${timeMode(stream)}`)}</span></button>
    ${follow(stream)}</div>`;
}

const near = (a, b) => Math.abs(a - b) < b * 0.01;

const tool = (name, label, action) =>
  html`<button title=${t(label)} aria-label=${t(label)} @click=${action}>${icon(name)}</button>`;

function switchTime(stream) {
  setPrefs({ timeMode: timeMode(stream) === "clock" ? "elapsed" : "clock" });
  invalidate({ charts: true });
}

function follow(stream) {
  const live = state.view.live;
  const label = t(stream.ended ? "view.end" : "view.follow");
  return html`<button class="button ${live && !stream.ended ? "button-live" : ""}" aria-pressed=${live ? "true" : "false"}
    title=${label} data-test="follow" @click=${() => showLive()}>
    ${live && !stream.ended ? html`<i class="dot"></i>` : icon("skip-forward")}${t(stream.ended ? "view.toEnd" : "view.live")}</button>`;
}
