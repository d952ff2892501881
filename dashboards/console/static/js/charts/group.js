// The charts of the selected stream: one uPlot each, one set of columns, one cursor, one span of time.

import { uPlot } from "../lib.js";
import { invalidate, selectedStream, state } from "../state.js";
import { bucketActivity, columnsOf, gapSpans } from "../series.js";
import { freshnessState, severityRank, streamNow } from "../streams.js";
import { bounds, showSpan } from "../view.js";
import { xAxis, xScale } from "./axes.js";
import { gesturesPlugin } from "./gestures.js";
import { marksPlugin } from "./marks.js";
import { forgetPalette } from "./palette.js";
import { CHARTS } from "./specs.js";

const hosts = new Map(); // chart key → element
const plots = new Map(); // chart key → {plot, variant, width, height}
let columns = null;
let marks = { gaps: [], alerts: [] };
let pick = () => {};
let applyingHover = false;

/** Scores and activity of the newest lines need about this long to come. */
const PENDING_MS = 10_000;

const observer = new ResizeObserver(() => invalidate({ charts: true }));

/** Tells the charts where to draw; `element` undefined when the place is gone. */
export function attach(key, element) {
  const old = hosts.get(key);
  if (old === element) return;
  if (old) observer.unobserve(old);
  plots.get(key)?.plot.destroy();
  plots.delete(key);
  hosts.delete(key);
  if (!element) return;
  hosts.set(key, element);
  observer.observe(element);
  invalidate({ charts: true });
}

export function onPick(listener) {
  pick = listener;
}

/** The columns that are drawn now, or null. */
export const currentColumns = () => columns;

/** Alerts of the selected stream, oldest first, as spans in ms. */
export function alertSpans(stream) {
  const now = streamNow(stream);
  return [...state.alerts.values()]
    .filter((alert) => alert.stream_id === stream.stream_id || alert.channels?.includes(stream.stream_id))
    .sort((a, b) => severityRank(a.severity) - severityRank(b.severity) || a.started_at - b.started_at)
    .map((alert) => ({
      alert,
      from: alert.started_at,
      to: alert.ended_at ?? Math.max(now, alert.started_at),
      severity: alert.severity,
      selected: alert.alert_id === state.selectedAlert,
    }));
}

/** Draws all charts with the columns that `prepareColumns` made. */
export function drawCharts() {
  if (!columns || !selectedStream()) return;
  CHARTS.forEach((spec, i) => drawOne(spec, i === 0 || i === CHARTS.length - 1));
}

/** Makes the columns of the selected stream's span in view. */
export function prepareColumns() {
  const stream = selectedStream();
  if (!stream) return;
  const [from, to] = bounds(stream);
  const alerts = alertSpans(stream);
  const { series } = state;
  const blind = [...alerts.filter(({ alert }) => alert.kind === "blind"), ...series.unheard, tail(stream)];
  const stepMs = series.stepMs || 1000;
  columns = columnsOf({
    points: series.points,
    activity: bucketActivity(series.seconds.values(), stepMs),
    stepMs,
    from: Math.max(stream.first_at, Math.max(from, series.from) - stepMs),
    to: Math.min(streamNow(stream), to + stepMs),
    pendingFrom: freshnessState(stream) === "fresh" ? stream.last_at - PENDING_MS * stream.pace : Infinity,
    isBlind: (start, end) => blind.some((span) => span.from < end && span.to > start),
  });
  if (series.status !== "ready") columns.gap.fill(null);
  const gaps = gapSpans(columns);
  marks = { gaps, alerts: alerts.filter((span) => span.to >= from && span.from <= to) };
  if (state.hover !== null && state.hover >= columns.count) state.hover = null;
}

/** What comes after the last sign of a stream that has gone silent. */
function tail(stream) {
  const quiet = freshnessState(stream) === "fresh" || stream.ended;
  return { from: quiet ? Infinity : stream.last_at, to: Infinity };
}

function drawOne(spec, labels) {
  const host = hosts.get(spec.key);
  if (!host?.clientWidth || !host.clientHeight) return;
  const variant = spec.variant?.() ?? "";
  const data = [columns.x, ...spec.data(columns)];
  const size = { width: host.clientWidth, height: host.clientHeight };
  let entry = plots.get(spec.key);
  if (!entry || entry.variant !== variant) {
    entry?.plot.destroy();
    entry = { plot: create(spec, data, size, host, labels), variant, ...size };
    plots.set(spec.key, entry);
    return;
  }
  if (entry.width !== size.width || entry.height !== size.height) {
    Object.assign(entry, size);
    entry.plot.setSize(size);
  }
  entry.plot.setData(data);
}

function create(spec, data, size, host, labels) {
  const options = {
    ...size,
    padding: [6, 10, labels ? 0 : 4, 0],
    legend: { show: false },
    scales: { x: xScale(), y: { auto: true, range: spec.range } },
    axes: [xAxis(labels), spec.axis()],
    series: [{}, ...spec.series()],
    bands: spec.bands(),
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      bind: { dblclick: () => null, mousedown: (u, target, handler) => (e) => (e.shiftKey ? null : handler(e)) },
    },
    hooks: {
      setCursor: [(u) => hover(u)],
      setSelect: [(u) => select(u)],
    },
    plugins: [
      marksPlugin(() => marks, { labels: spec.key === "mood", ignore: spec.ignoreGaps ?? [] }),
      gesturesPlugin((index) => pick(index)),
    ],
  };
  return new uPlot(options, data, host);
}

function select(u) {
  const { left, width } = u.select;
  if (width < 6) return;
  showSpan(u.posToVal(left, "x") * 1000, u.posToVal(left + width, "x") * 1000);
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

function hover(u) {
  if (applyingHover) return;
  const left = u.cursor.left;
  setHover(left >= 0 ? u.cursor.idx ?? null : null);
}

/** Puts the cursor of every chart on one bucket; null takes it away. */
export function setHover(index) {
  if (index === state.hover) return;
  state.hover = index;
  applyingHover = true;
  for (const { plot } of plots.values()) {
    const left = index === null ? -10 : plot.valToPos(columns.x[index], "x");
    plot.setCursor({ left, top: index === null ? -10 : 0 }, false);
  }
  applyingHover = false;
  invalidate();
}

/** Draws with the colours of a theme that has just changed. */
export function recolour() {
  forgetPalette();
  for (const { plot } of plots.values()) plot.destroy();
  plots.clear();
  invalidate({ charts: true });
}
