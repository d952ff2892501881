// What the page knows, and the one scheduler by which it is drawn. Nothing here touches the network or the document.

/** Most alerts and chat lines that the page keeps; the oldest go first. */
export const MAX_ALERTS = 1000;
export const MAX_MESSAGES = 600;

export const RANGES_MS = [5 * 60e3, 15 * 60e3, 60 * 60e3, 6 * 60 * 60e3];

export const state = {
  workspace: "default",
  access: "ok", // ok | denied
  connection: { state: "connecting", retryAt: 0, lastFrameAt: 0 }, // connecting | live | reconnecting | stale
  health: null,
  streams: new Map(),
  sources: new Map(), // by channel: whether it is heard, and what was missed
  streamsLoaded: false,
  streamsError: null,
  order: [],
  streamFilter: "",
  selected: null,
  view: { live: true, span: RANGES_MS[1], from: 0, to: 0 },
  // `points` by the bucket's start, `seconds` (activity) by the second, both in ms; `unheard` are spans that a
  // connector knows it missed; loaded for [from, to).
  series: { stepMs: 1000, from: 0, to: 0, points: new Map(), seconds: new Map(), unheard: [], status: "idle", error: null },
  hover: null, // index into the charts' columns, or null
  alerts: new Map(),
  alertScope: "stream", // stream | all
  openOnly: false,
  selectedAlert: null,
  announcement: "",
  messages: {
    range: null, // null: the newest lines; else { from, to } in the stream's own milliseconds
    q: "",
    minToxicity: 0,
    emotion: "",
    rows: [],
    cursor: null,
    status: "idle", // idle | loading | ready | error
    error: null,
    revealed: new Set(),
  },
  tab: "alerts", // alerts | messages
  page: "streams", // what a phone shows: streams | stream | alerts | messages
  help: false,
};

let prepare = () => {};
let drawPage = () => {};
let drawCharts = () => {};
let frame = 0;
let chartsDirty = false;

/** Names the functions that draw, in their order; called once by `main.js`. */
export function drawWith(columns, page, charts) {
  prepare = columns;
  drawPage = page;
  drawCharts = charts;
}

/** Asks for one redraw of the page (and of the charts) in the next animation frame, however often it is called. */
export function invalidate({ charts = false } = {}) {
  chartsDirty ||= charts;
  if (frame) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    const charts = chartsDirty;
    chartsDirty = false;
    if (charts) prepare();
    drawPage();
    if (charts) drawCharts();
  });
}

/** The selected stream's row, or null. */
export function selectedStream() {
  return state.streams.get(state.selected) ?? null;
}
