// The span of stream time that the charts show, and the ways to change it.

import { invalidate, selectedStream, state } from "./state.js";
import { streamNow } from "./streams.js";

const MIN_SPAN_MS = 10_000;
const MAX_SPAN_MS = 31 * 86400e3;

/** [from, to] in ms of the stream's own clock. A live view ends at the stream's now. */
export function bounds(stream = selectedStream()) {
  if (!stream) return [0, 1];
  const { live, span, from, to } = state.view;
  if (!live) return [from, to];
  const end = streamNow(stream) + 1000;
  return [end - span, end];
}

function changed() {
  invalidate({ charts: true });
}

export function showLive(span = state.view.span) {
  state.view = { live: true, span, from: 0, to: 0 };
  changed();
}

export function showSpan(from, to) {
  const stream = selectedStream();
  if (!stream) return;
  const span = Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, to - from));
  const middle = (from + to) / 2;
  const start = Math.round(middle - span / 2);
  state.view = { live: false, span, from: start, to: start + span };
  changed();
}

/** The whole stream, with a little air. A running stream is followed. */
export function showAll() {
  const stream = selectedStream();
  if (!stream) return;
  const length = Math.max(MIN_SPAN_MS, streamNow(stream) - stream.first_at);
  if (stream.ended) showSpan(stream.first_at - length * 0.01, stream.first_at + length * 1.01);
  else showLive(length * 1.02);
  state.view.all = true;
}

/** Chooses a span in ms: live stays live, else it keeps the end in view. */
export function setRange(span) {
  const stream = selectedStream();
  if (!stream) return;
  if (state.view.live && !stream.ended) {
    showLive(span);
    return;
  }
  const to = Math.min(state.view.live ? Infinity : state.view.to, streamNow(stream) + 1000);
  showSpan(to - span, to);
}

/** Moves by a share of the span; negative is earlier. */
export function pan(share) {
  const [from, to] = bounds();
  const by = (to - from) * share;
  moveTo(from + by, to + by);
}

/** Shows [from, to], held so that some of the stream stays in view; at its end the view follows again. */
export function moveTo(from, to) {
  const stream = selectedStream();
  if (!stream) return;
  const span = to - from;
  const end = streamNow(stream) + 1000;
  const start = Math.max(stream.first_at - span / 2, Math.min(from, end - span / 4));
  if (!stream.ended && start + span >= end && from > bounds()[0]) showLive(span);
  else showSpan(start, start + span);
}

/** Scales the span by `factor` around `at` (ms), by default the middle, or the end of a live view. */
export function zoom(factor, at = null) {
  const stream = selectedStream();
  if (!stream) return;
  const [from, to] = bounds();
  if (state.view.live && at === null) {
    showLive(Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, (to - from) * factor)));
    return;
  }
  const centre = at ?? (from + to) / 2;
  showSpan(centre - (centre - from) * factor, centre + (to - centre) * factor);
}

/** Brings a time span into view with air around it. */
export function showAround(from, to) {
  const length = Math.max(60_000, to - from);
  const end = Math.min(to + length * 0.75, streamNow(selectedStream()) + length * 0.05);
  showSpan(from - length * 0.75, end);
}
