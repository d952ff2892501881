import { mood, moodWord, percent, rate } from "../format.js";
import { order, select } from "../feed.js";
import { t } from "../i18n.js";
import { html, nothing, repeat } from "../lib.js";
import { invalidate, state } from "../state.js";
import { coverageState, displayName, freshnessState, platformName, subtitle } from "../streams.js";
import { coverageMark, freshnessMark, kindBadge, recordingBadge } from "./badges.js";
import { icon } from "./icon.js";
import { sourceList } from "./sources.js";
import { sparkline } from "./sparkline.js";

/** Ended broadcasts that are listed; the search reaches the others. */
const MAX_ENDED = 40;

export function streamList() {
  const streams = matching();
  return html`<nav class="sidebar" aria-label=${t("nav.streams")} data-page="streams">
    <label class="search">${icon("search")}<span class="visually-hidden">${t("streams.search")}</span>
      <input type="search" data-test="stream-search" placeholder=${t("streams.search")} .value=${state.streamFilter}
        @input=${(event) => { state.streamFilter = event.target.value; invalidate(); }}></label>
    <h2 class="visually-hidden">${t("streams.heading")}</h2>
    <div class="stream-scroll" @pointerenter=${hold} @pointerleave=${release}>
      ${sourceList()}${streams.length ? group(streams) : html`<p class="quiet-note">${t("streams.none", { q: state.streamFilter })}</p>`}
    </div></nav>`;
}

const hold = (event) => { order.held = event.pointerType === "mouse"; };
const release = () => { order.held = false; };

/** Streams in the list's order that match the search. */
export function matching() {
  const q = state.streamFilter.trim().toLowerCase();
  return state.order
    .map((id) => state.streams.get(id))
    .filter((stream) => stream && (!q || `${stream.channel} ${stream.title ?? ""}`.toLowerCase().includes(q)));
}

function group(streams) {
  const ended = streams.filter((stream) => stream.ended).slice(0, MAX_ENDED);
  const active = streams.filter((stream) => !stream.ended);
  return html`${active.length ? list(active, "streams.active") : nothing}
    ${ended.length ? list(ended, "streams.ended") : nothing}`;
}

function list(streams, heading) {
  return html`<h3 class="list-heading">${t(heading)}<span>${streams.length}</span></h3>
    <ul class="stream-list">${repeat(streams, (stream) => stream.stream_id, card)}</ul>`;
}

function card(stream) {
  const current = stream.stream_id === state.selected;
  return html`<li><button class="stream-card ${freshnessState(stream)}" data-test="stream" data-stream=${stream.stream_id}
      aria-current=${current ? "true" : "false"} @click=${() => select(stream.stream_id, { page: "stream" })}>
    <span class="card-head"><span class="card-name" title=${subtitle(stream) || stream.stream_id}>${displayName(stream)}</span>
      ${alertCount(stream)}${recordingBadge(stream)}${kindBadge(stream)}</span>
    <span class="card-body">${moodCell(stream)}
      <span class="cell"><b>${rate(stream.rate_per_s ?? 0)}</b><small>${t("stream.perS")}</small></span>
      <span class="cell ${(stream.toxicity?.mean ?? 0) >= 0.3 ? "is-bad" : ""}">
        <b>${stream.toxicity ? percent(stream.toxicity.mean) : "–"}</b><small>${t("stream.tox")}</small></span>
      <span class="card-spark" title=${t("streams.spark")}>${sparkline(stream.spark)}</span></span>
    <span class="card-foot"><span class="mark">${platformName(stream)}</span>${freshnessMark(stream)}${coverageMark(stream)}</span>
  </button></li>`;
}

function alertCount(stream) {
  if (!stream.open_alerts) return nothing;
  const severity = stream.worst_severity ?? "medium";
  const label = t("stream.openAlerts", { count: stream.open_alerts, severity: t(`severity.${severity}`) });
  return html`<span class="badge severity severity-${severity}" title=${label} data-test="open-alerts">
    ${icon("triangle-alert")}<span aria-hidden="true">${stream.open_alerts}</span>
    <span class="visually-hidden">${label}</span></span>`;
}

function moodCell(stream) {
  const known = stream.sentiment && coverageState(stream) !== "unknown";
  if (!known) return html`<span class="cell cell-mood is-unknown"><b>?</b><small>${t("stream.noMood")}</small></span>`;
  const value = stream.sentiment.mean;
  const tone = value >= 0.1 ? "is-good" : value <= -0.1 ? "is-bad" : "";
  return html`<span class="cell cell-mood ${tone}"><b>${mood(value)}</b><small>${moodWord(value)}</small></span>`;
}
