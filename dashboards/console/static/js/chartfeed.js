// Loads what the charts show: windows and activity of the selected stream for the span in view.

import { ApiError, fetchActivity, fetchEvents, fetchWindows } from "./api.js";
import { ACTIVITY_MAX_MS, stepFor, trim } from "./series.js";
import { invalidate, selectedStream, state } from "./state.js";
import { bounds } from "./view.js";

const SETTLE_MS = 120;
const TAIL_EVERY_MS = 1000;
/** Where live rows fit the shown step, the tail is only asked for corrections. */
const CORRECTIONS_EVERY_MS = 5000;
/** Late lines correct their windows: this much of the end is asked for again. */
const TAIL_MS = 30_000;
const MAX_SECONDS = 2.5 * 3600;

let loading = null; // the load under way: {stepMs, from, to, controller}
let settle = 0;
let tailTimer = 0;
let tailAt = 0;

/** Forgets everything; the next `ensureRange` loads anew. */
export function resetSeries() {
  loading?.controller.abort();
  loading = null;
  clearTimeout(tailTimer);
  tailTimer = 0;
  state.series = { stepMs: 0, from: 0, to: 0, points: new Map(), seconds: new Map(), unheard: [], status: "idle", error: null };
  state.hover = null;
}

/** Loads the span in view unless it is here already; called whenever the view may have moved. */
export function ensureRange() {
  const stream = selectedStream();
  if (!stream || settle || state.series.status === "error") return;
  if (!missing(stream)) return;
  settle = setTimeout(() => {
    settle = 0;
    const now = selectedStream();
    const wanted = now && missing(now);
    if (wanted) load(now, wanted);
  }, state.series.status === "idle" ? 0 : SETTLE_MS);
}

function missing(stream) {
  const [from, to] = bounds(stream);
  const stepMs = stepFor(to - from);
  const end = Math.min(to, stream.last_at);
  const begin = Math.max(from, stream.first_at - stepMs);
  const covers = (part) =>
    part?.stepMs === stepMs && (begin >= end || (part.from <= begin && part.to >= end - TAIL_MS));
  if (covers(state.series) || covers(loading)) return null;
  // A fast replay outruns each load: the one under way must still end, the next asks for the rest.
  if (loading?.stepMs === stepMs && state.view.live) return null;
  const air = (to - from) / 2;
  const start = Math.max(from - air, stream.first_at - stepMs);
  return { stepMs, from: start - (start % stepMs), to: Math.min(to + air, stream.last_at + TAIL_MS) };
}

/** Loads again after an error. */
export function retryRange() {
  state.series.status = "idle";
  ensureRange();
  invalidate();
}

async function load(stream, { stepMs, from, to }) {
  loading?.controller.abort();
  const controller = new AbortController();
  const mine = { stepMs, from, to, controller };
  loading = mine;
  const { series } = state;
  if (series.status !== "ready") series.status = "loading";
  try {
    const [points, seconds, unheard] = await Promise.all([
      askPoints(stream, stepMs, from, to, controller.signal),
      askSeconds(stream, from, to, controller.signal),
      askUnheard(stream, from, to, controller.signal),
    ]);
    if (loading !== mine || state.selected !== stream.stream_id) return;
    const heardTo = Math.min(to, stream.last_at);
    Object.assign(series, { stepMs, from, to: heardTo, points, seconds, unheard, status: "ready", error: null });
  } catch (error) {
    if (error.name === "AbortError" || loading !== mine) return;
    fail(error);
  } finally {
    if (loading === mine) loading = null;
  }
  invalidate({ charts: true });
}

function fail(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.kind === "denied") state.access = "denied";
  state.series.status = "error";
  state.series.error = error.message;
}

async function askPoints(stream, stepMs, from, to, signal) {
  const params = { stream_id: stream.stream_id, from: Math.floor(from), to: Math.ceil(to), step_ms: stepMs };
  const answer = await fetchWindows(params, signal);
  return new Map(answer.points.map((point) => [point.start_ms, point]));
}

async function askSeconds(stream, from, to, signal) {
  if (to - from > ACTIVITY_MAX_MS) return new Map();
  const params = { stream_id: stream.stream_id, from: Math.floor(from), to: Math.ceil(to) };
  const answer = await fetchActivity(params, signal);
  return new Map((answer.points).map((row) => [row.second_ms, row]));
}

/** Spans in ms that a connector reported as missed. */
async function askUnheard(stream, from, to, signal) {
  const params = { stream_id: stream.stream_id, kind: "gap", from: Math.floor(from), to: Math.ceil(to) };
  const { events } = await fetchEvents(params, signal);
  return events.filter((e) => e.span_from !== null && e.span_to !== null).map((e) => ({ from: e.span_from, to: e.span_to }));
}

/** Takes live window rows of the selected stream: points of the shown step at once, others by asking again. */
export function onWindowRows(rows) {
  const { series } = state;
  if (series.status !== "ready") return;
  let other = false;
  for (const row of rows) {
    if ((row.step_ms ?? row.size_ms ?? 1000) === series.stepMs) {
      series.points.set(row.start_ms, row);
    } else other = true;
  }
  trim(series.points);
  askTail(other ? TAIL_EVERY_MS : CORRECTIONS_EVERY_MS);
  invalidate({ charts: true });
}

export function onActivityRows(rows) {
  const { series } = state;
  if (series.status !== "ready") return;
  for (const row of rows) series.seconds.set(row.second_ms, row);
  trim(series.seconds, MAX_SECONDS);
  askTail(CORRECTIONS_EVERY_MS);
  invalidate({ charts: true });
}

/** Asks again for everything since the last answer: live rows may have been dropped on the way, or corrected. */
function askTail(every) {
  if (tailTimer) return;
  const wait = Math.max(0, every - (performance.now() - tailAt));
  tailTimer = setTimeout(loadTail, wait);
}

async function loadTail() {
  tailAt = performance.now();
  const stream = selectedStream();
  const { series } = state;
  try {
    if (!stream || series.status !== "ready" || loading) return;
    const { stepMs } = series;
    const heardTo = stream.last_at;
    const from = Math.max(series.from, Math.min(series.to, heardTo) - Math.max(TAIL_MS, 2 * stepMs));
    const start = from - (from % stepMs);
    const [points, seconds] = await Promise.all([
      askPoints(stream, stepMs, start, heardTo + TAIL_MS),
      askSeconds(stream, start, heardTo + TAIL_MS),
    ]);
    if (state.series !== series || series.stepMs !== stepMs) return;
    for (const [key, point] of points) series.points.set(key, point);
    for (const [key, row] of seconds) series.seconds.set(key, row);
    series.to = Math.max(series.to, heardTo);
    trim(series.points);
    trim(series.seconds, MAX_SECONDS);
    invalidate({ charts: true });
  } catch (error) {
    if (error.name !== "AbortError" && error.kind !== "network") throw error;
  } finally {
    tailTimer = 0;
  }
}
