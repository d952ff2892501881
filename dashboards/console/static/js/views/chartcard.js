import { currentColumns, onPick, setHover } from "../charts/group.js";
import { emotionChart } from "../charts/specs.js";
import { retryRange } from "../chartfeed.js";
import { duration, streamTime } from "../format.js";
import { t } from "../i18n.js";
import { html, nothing } from "../lib.js";
import { showMessages } from "../messagefeed.js";
import { prefs, setPrefs } from "../prefs.js";
import { invalidate, selectedStream, state } from "../state.js";
import { displayName } from "../streams.js";
import { icon } from "./icon.js";

/** A point of the chart opens at least this much chat. */
const MIN_DRILL_MS = 10_000;

export function chartCard(stream, spec, host) {
  const columns = currentColumns();
  const index = columns ? shownIndex(columns) : -1;
  const values = index >= 0 ? spec.values(columns, index) : spec.key === "emotions" ? spec.values(EMPTY, 0) : [];
  const text = values.filter((value) => value.value !== "–").map((v) => `${v.label} ${v.value}`).join(", ");
  const label = t("chart.label", {
    title: t(`chart.${spec.key}`), stream: displayName(stream), value: text || t("stream.unknown"),
  });
  return html`<section class="chart chart-${spec.key}">
    <header><h3 title=${t(`chart.${spec.key}.hint`)}>${t(`chart.${spec.key}`)}</h3>
      <div class="readout" data-test=${`readout-${spec.key}`}>${gapNote(columns, index, spec)}${values.map(swatchView)}</div>
      ${spec.key === "emotions" ? modeSwitch() : nothing}
      ${spec.key === "mood" ? html`${legend(columns)}${when(stream, columns, index)}` : nothing}</header>
    <div class="plot" tabindex="0" role="img" aria-label=${label} data-test=${`chart-${spec.key}`}
      @keydown=${onKey} ${host}></div>
    ${spec.key === "mood" ? status(columns) : nothing}
  </section>`;
}

const EMPTY = { basic: new Proxy({}, { get: () => [null] }) };

/** The bucket under the cursor, or else the newest that has something to say. */
function shownIndex(columns) {
  if (state.hover !== null && state.hover < columns.count) return state.hover;
  for (let i = columns.count - 1; i >= 0; i -= 1) if (columns.sentiment[i] !== null) return i;
  return columns.count - 1;
}

function gapNote(columns, index, spec) {
  const gap = index >= 0 ? columns.gap[index] : null;
  if (state.hover === null || !gap || gap === "quiet" || spec.ignoreGaps?.includes(gap)) return nothing;
  return html`<span class="gap-note gap-${gap}">${t(`chart.${gap}`)}</span>`;
}

function swatchView({ label, colour, value, toggle, off }) {
  const body = html`<svg class="swatch" viewBox="0 0 8 8" aria-hidden="true"><circle cx="4" cy="4" r="4" fill=${colour}></circle></svg><span class="swatch-label">${label}</span><b>${value}</b>`;
  if (!toggle) return html`<span class="value">${body}</span>`;
  return html`<button class="value" aria-pressed=${off ? "false" : "true"} title=${t("chart.toggle", { name: label })}
    @click=${() => toggleEmotion(toggle)}>${body}</button>`;
}

function toggleEmotion(name) {
  const { hidden } = emotionChart;
  if (hidden.has(name)) hidden.delete(name);
  else if (hidden.size < 5) hidden.add(name);
  invalidate({ charts: true });
}

function modeSwitch() {
  const next = prefs.emotionMode === "stacked" ? "lines" : "stacked";
  const label = t(`chart.to.${next}`);
  return html`<button class="icon-button small" title=${label} aria-label=${label} data-test="emotion-mode"
    @click=${() => { setPrefs({ emotionMode: next }); invalidate({ charts: true }); }}>
    ${icon(next === "lines" ? "chart-line" : "layers")}</button>`;
}

/** Explains the marks that are in view. */
function legend(columns) {
  const kinds = ["nodata", "unscored"].filter((kind) => columns?.gap.includes(kind));
  return html`<span class="legend">${kinds.map((kind) => html`<span class="value" title=${t(`legend.${kind}`)}>
    <i class="legend-${kind}"></i>${t(`chart.${kind}`)}</span>`)}</span>`;
}

function when(stream, columns, index) {
  if (!columns || index < 0) return nothing;
  const step = t("chart.step", { step: duration(columns.stepMs / 1000) });
  return html`<time class="hover-time ${state.hover === null ? "" : "is-hover"}" title=${step}
    data-test="hover-time">${streamTime(stream, columns.starts[index])}</time>`;
}

function status(columns) {
  const { status: name, error } = state.series;
  if (name === "error") {
    return html`<p class="chart-note" role="alert">${t("chart.error", { detail: error })}
      <button class="button" @click=${retryRange}>${t("chart.retry")}</button></p>`;
  }
  if (name !== "ready") return html`<p class="chart-note">${t("chart.loading")}</p>`;
  const any = columns?.rate.some((value) => value !== null) ?? false;
  return any || columns?.gap.some((gap) => gap !== null) ? nothing : html`<p class="chart-note">${t("chart.empty")}</p>`;
}

/** Opens the chat lines of bucket `index`. */
export function drill(index) {
  const columns = currentColumns();
  if (!columns || index < 0 || index >= columns.count) return;
  const from = columns.starts[index];
  const length = Math.max(MIN_DRILL_MS, columns.stepMs);
  const start = from - Math.floor((length - columns.stepMs) / 2);
  showMessages({ from: start, to: start + length });
}

function onKey(event) {
  const columns = currentColumns();
  if (!columns?.count || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = state.hover ?? columns.count - 1;
  const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: columns.count - 1 };
  if (event.key in moves) setHover(Math.min(columns.count - 1, Math.max(0, moves[event.key])));
  else if (event.key === "Enter") drill(at);
  else if (event.key === "Escape" && state.hover !== null) setHover(null);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

onPick((index) => {
  if (selectedStream()) drill(index);
});
