// Keeps the page's picture of the workspace: streams, alerts, health, and the live feed that changes them.

import { ApiError, fetchAlerts, fetchHealth, fetchSources, fetchStreams, liveUrl } from "./api.js";
import { onActivityRows, onWindowRows, resetSeries, ensureRange } from "./chartfeed.js";
import { t, tOr } from "./i18n.js";
import { LiveFeed } from "./live.js";
import { loadMessages, refreshNewest, resetMessages } from "./messagefeed.js";
import { writeRoute } from "./route.js";
import { MAX_ALERTS, RANGES_MS, invalidate, state } from "./state.js";
import { Order, displayName, paceOf, severityRank } from "./streams.js";
import { showAll, showLive } from "./view.js";

const POLL_MS = 15_000;
const RETRY_MS = 3000;
const ALERTS_PAGE = 200;

export const order = new Order();
export let feed = null;
let wanted = null; // the stream that the address names
let poll = 0;

export function start(streamId) {
  wanted = streamId;
  feed = new LiveFeed(liveUrl, { onFrame, onState, onOpen, onSilence });
  feed.connect();
  refresh();
  setInterval(() => invalidate({ charts: state.view.live }), 1000);
}

/** Fetches everything that the live feed would have told; runs again by itself. */
export async function refresh() {
  clearTimeout(poll);
  let wait = POLL_MS;
  try {
    const [answer, { sources }] = await Promise.all([fetchStreams(), fetchSources(), loadAlerts({}), loadHealth()]);
    const known = new Set(answer.streams.map((stream) => stream.stream_id));
    for (const id of state.streams.keys()) if (!known.has(id)) state.streams.delete(id);
    mergeStreams(answer.streams);
    takeSources(sources);
    Object.assign(state, { streamsLoaded: true, streamsError: null, access: "ok" });
    if (!state.selected) selectFirst();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.kind === "denied") state.access = "denied";
    state.streamsError = error.message;
    wait = RETRY_MS;
  }
  invalidate();
  poll = setTimeout(refresh, wait);
}

function selectFirst() {
  const id = state.streams.has(wanted) ? wanted : state.order[0];
  if (id) select(id);
}

/** Shows a stream; `page` is where a phone goes. */
export function select(id, { page = null } = {}) {
  if (page) state.page = page;
  if (state.selected === id) {
    invalidate();
    return;
  }
  const stream = state.streams.get(id);
  if (!stream) return;
  state.selected = id;
  state.selectedAlert = null;
  resetSeries();
  resetMessages();
  if (stream.ended) showAll();
  else showLive(stream.last_at - stream.first_at < RANGES_MS[0] ? RANGES_MS[0] : RANGES_MS[1]);
  writeRoute({ workspace: state.workspace, stream: id });
  ensureRange();
  loadMessages();
  loadAlerts({ stream_id: id }).catch(() => {});
  invalidate({ charts: true });
}

async function loadAlerts(filter) {
  const answer = await fetchAlerts({ ...filter, limit: ALERTS_PAGE });
  mergeAlerts(answer.alerts, { announce: false });
  invalidate({ charts: true });
}

async function loadHealth() {
  try {
    state.health = await fetchHealth();
  } catch (error) {
    if (error.kind !== "http") throw error;
    state.health = { status: "degraded", detail: error.message };
  }
}

function onFrame(frame) {
  const own = (frame.rows ?? []).filter((row) => row.stream_id === state.selected);
  if (frame.type === "streams") mergeStreams(frame.rows);
  else if (frame.type === "sources") takeSources(frame.rows);
  else if (frame.type === "alerts") mergeAlerts(frame.rows, { announce: true });
  else if (frame.type === "windows" && own.length) onWindowRows(own);
  else if (frame.type === "activity" && own.length) onActivityRows(own);
  if (own.length && frame.type !== "alerts") refreshNewest(isReading());
  ensureRange();
  invalidate({ charts: frame.type === "alerts" });
}

function isReading() {
  const list = document.querySelector("[data-scroll=messages]");
  return !list || list.scrollTop > 24 || state.messages.revealed.size > 0 || list.matches(":hover");
}

function mergeStreams(rows) {
  for (const row of rows) {
    const known = state.streams.get(row.stream_id);
    const receivedAt = performance.now();
    const pace = paceOf(known, row, receivedAt);
    state.streams.set(row.stream_id, { ...known, ...row, receivedAt, pace });
  }
  state.order = order.next(state.streams, state.order);
  if (!state.selected && state.streamsLoaded) selectFirst();
}

function takeSources(rows) {
  for (const row of rows) state.sources.set(row.channel, row);
}

function mergeAlerts(rows, { announce }) {
  for (const row of rows) {
    const known = state.alerts.get(row.alert_id);
    if (known && known.revision > row.revision) continue;
    state.alerts.set(row.alert_id, row);
    if (announce && !known && row.state !== "closed" && severityRank(row.severity) >= 2) announceAlert(row);
  }
  if (state.alerts.size > MAX_ALERTS) {
    const oldest = [...state.alerts.values()].sort((a, b) => a.started_at - b.started_at);
    for (const row of oldest.slice(0, state.alerts.size - MAX_ALERTS)) state.alerts.delete(row.alert_id);
  }
}

function announceAlert(row) {
  const stream = state.streams.get(row.stream_id) ?? row;
  state.announcement = t("alerts.announce", {
    severity: t(`severity.${row.severity}`),
    kind: tOr(`kind.${row.kind}`, row.kind),
    stream: displayName(stream),
  });
}

function onState(name, retryAt) {
  if (state.connection.state === name && state.connection.retryAt === retryAt) return;
  state.connection = { state: name, retryAt };
  invalidate();
}

function onOpen(again) {
  if (!again) return;
  resetSeriesKeepingView();
  refresh();
  loadMessages();
}

function resetSeriesKeepingView() {
  if (!state.selected) return;
  state.series.from = state.series.to = 0;
  if (state.series.status === "error") state.series.status = "idle";
  ensureRange();
}

async function onSilence() {
  try {
    await loadHealth();
    return true;
  } catch {
    return false;
  }
}
