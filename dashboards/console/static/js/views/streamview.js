import { attach } from "../charts/group.js";
import { CHARTS } from "../charts/specs.js";
import { select } from "../feed.js";
import { compact, dateTime, duration, mood, moodWord, percent, rate } from "../format.js";
import { t, tOr } from "../i18n.js";
import { html, nothing, ref } from "../lib.js";
import { invalidate, selectedStream, state } from "../state.js";
import { coverageState, displayName, freshness, freshnessState, platformName, subtitle } from "../streams.js";
import { alertLane } from "./alertlane.js";
import { freshnessText, freshnessTitle, kindBadge, recordingBadge } from "./badges.js";
import { chartCard } from "./chartcard.js";
import { icon } from "./icon.js";
import { missedNote, sourceBanner } from "./sources.js";
import { viewBar } from "./viewbar.js";

export function streamView() {
  const stream = selectedStream();
  return html`<section class="main" data-page="stream">
    ${stream ? html`${header(stream)}${sourceBanner(stream)}${trust(stream)}${viewBar(stream)}${charts(stream)}`
      : html`<p class="quiet-note">${t(state.selected ? "stream.gone" : "stream.pick")}</p>`}</section>`;
}

function header(stream) {
  return html`<section class="stream-head" aria-label=${displayName(stream)}>
    <div class="stream-title">
      <button class="icon-button narrow-only" aria-label=${t("stream.back")} @click=${back}>${icon("arrow-left")}</button>
      <div><h2 data-test="stream-name">${displayName(stream)}</h2>
        <p><span>${platformName(stream)}</span>
          <span class="stream-subtitle" title=${stream.stream_id}>${subtitle(stream) || stream.stream_id}</span>${missedNote(stream)}</p></div>
      <div class="stream-badges">${recordingBadge(stream)}${kindBadge(stream)}</div>
    </div>
    <dl class="figures ${freshnessState(stream) === "blind" ? "is-stale" : ""}">${figures(stream)}</dl></section>`;
}

function back() {
  state.page = "streams";
  invalidate();
}

function figures(stream) {
  const known = stream.sentiment && coverageState(stream) !== "unknown";
  const s = stream.sentiment;
  return [
    figure("mood", known ? mood(s.mean) : "?", known ? moodWord(s.mean) : t("stream.unknown"),
      known ? (s.mean >= 0.1 ? "is-good" : s.mean <= -0.1 ? "is-bad" : "") : "is-unknown",
      known ? t("chart.range", { low: mood(s.low), high: mood(s.high) }) : t("stream.noMood")),
    figure("rate", rate(stream.rate_per_s ?? 0), t("stream.perS"), "",
      `${compact(stream.messages)} ${t("chart.messages")}`),
    figure("toxicity", stream.toxicity && known ? percent(stream.toxicity.mean, stream.toxicity.mean < 0.1 ? 1 : 0) : "?",
      stream.toxicity && known ? `${percent(stream.toxicity.low)}–${percent(stream.toxicity.high)}` : t("stream.unknown"),
      (stream.toxicity?.mean ?? 0) >= 0.3 ? "is-bad" : ""),
    emotionsFigure(stream, known),
    figure("freshness", ...freshnessFigure(stream), `is-${freshnessState(stream)}`,
      `${freshnessTitle(stream)} ${dateTime(stream.last_seen_at ?? stream.last_at)}`),
    figure("coverage", ...coverageFigure(stream), `is-coverage-${coverageState(stream)}`, t("coverage.title")),
  ];
}

function figure(name, value, note, tone = "", title = "") {
  return html`<div class="figure figure-${name} ${tone}" title=${title} data-test=${`figure-${name}`}>
    <dt>${t(`stream.${name}`)}</dt><dd><b>${value}</b>${note ? html`<small>${note}</small>` : nothing}</dd></div>`;
}

/** [value, note]. */
function freshnessFigure(stream) {
  const age = freshness(stream);
  if (stream.ended || age === null) return ["–", freshnessText(stream)];
  return [duration(age), t(`fresh.note.${freshnessState(stream)}`)];
}

function coverageFigure(stream) {
  const known = stream.coverage !== null && stream.coverage !== undefined;
  const note = t(`coverage.note.${coverageState(stream)}`);
  return [known ? percent(Math.floor(stream.coverage * 100) / 100) : "–", note];
}

function emotionsFigure(stream, known) {
  const top = known ? (stream.top_emotions ?? []).filter((e) => e.label !== "neutral").slice(0, 3) : [];
  return html`<div class="figure figure-emotions"><dt>${t("stream.topEmotions")}</dt>
    <dd>${top.length ? top.map((e) => html`<span class="emotion"><span>${tOr(`emotion.${e.label}`, e.label)}</span>
      <b>${percent(e.mean)}</b></span>`) : html`<b>?</b><small>${t("stream.unknown")}</small>`}</dd></div>`;
}

/** Says loudly when the figures above cannot be trusted. */
function trust(stream) {
  if (freshnessState(stream) === "blind") {
    const age = duration(freshness(stream) ?? 0);
    return html`<p class="banner banner-blind" role="status" data-test="blind-banner">${icon("eye-off")}${t("blind.banner", { age })}</p>`;
  }
  if (coverageState(stream) === "unknown" && !stream.ended) {
    return html`<p class="banner banner-warn" role="status" data-test="unscored-banner">${icon("triangle-alert")}${t("unscored.banner")}</p>`;
  }
  return nothing;
}

function charts(stream) {
  return html`<div class="charts" id="charts" tabindex="-1">
    ${alertLane(stream)}${CHARTS.map((spec) => chartCard(stream, spec, hostRef(spec.key)))}</div>`;
}

const refs = new Map();

/** One stable ref callback for each chart: lit calls it only when the element comes or goes. */
function hostRef(key) {
  if (!refs.has(key)) refs.set(key, (element) => attach(key, element));
  return ref(refs.get(key));
}

/** Steps to the next (1) or previous (-1) stream of the list. */
export function stepStream(streams, by) {
  const at = streams.findIndex((stream) => stream.stream_id === state.selected);
  const next = streams[Math.min(streams.length - 1, Math.max(0, at + by))];
  if (next) select(next.stream_id);
}
