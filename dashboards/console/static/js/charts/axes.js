// Axes and scales that all charts share.

import { streamTime, timeMode } from "../format.js";
import { uPlot } from "../lib.js";
import { selectedStream } from "../state.js";
import { bounds } from "../view.js";
import { palette } from "./palette.js";

const INCREMENTS_S = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800,
];
const LABEL_PX = 76;
export const FONT = "11px Inter, system-ui, sans-serif";
export const Y_AXIS_PX = 44;
export const X_AXIS_PX = 24;

export const xScale = () => ({ time: true, range: () => bounds().map((ms) => ms / 1000) });

/** Time axis in the stream's own time; without labels it keeps only its grid. */
export function xAxis(labels) {
  return {
    stroke: () => palette()["text-muted"],
    font: FONT,
    size: labels ? X_AXIS_PX : 6,
    gap: 6,
    grid: { stroke: () => palette().grid, width: 1 },
    ticks: { show: false },
    splits: (u, _axis, min, max) => timeSplits(min, max, u.width),
    values: (_u, splits) => (labels ? timeLabels(splits) : splits.map(() => "")),
  };
}

/** Round times, counted from the stream's start or from local midnight. */
function timeSplits(min, max, width) {
  const stream = selectedStream();
  if (!stream || max <= min) return [];
  const spacing = ((max - min) * LABEL_PX) / Math.max(LABEL_PX, width);
  const step = INCREMENTS_S.find((s) => s >= spacing) ?? INCREMENTS_S.at(-1);
  const base = timeMode(stream) === "elapsed" ? stream.first_at / 1000 : midnight(min);
  const splits = [];
  const lastWhole = max - ((max - min) * LABEL_PX) / 4 / width; // a label further right would be cut off
  for (let at = base + Math.ceil((min - base) / step) * step; at <= lastWhole; at += step) splits.push(at);
  return splits;
}

function midnight(seconds) {
  const day = new Date(seconds * 1000);
  day.setHours(0, 0, 0, 0);
  return day.getTime() / 1000;
}

function timeLabels(splits) {
  const stream = selectedStream();
  const fine = splits.length < 2 || (splits[1] - splits[0]) % 60 !== 0;
  return stream ? splits.map((at) => streamTime(stream, Math.round(at * 1000), fine)) : [];
}

export function yAxis(values, space = 30) {
  return {
    stroke: () => palette()["text-muted"],
    font: FONT,
    size: Y_AXIS_PX,
    gap: 6,
    space,
    grid: { stroke: () => palette().grid, width: 1 },
    ticks: { show: false },
    values: (_u, splits) => splits.map(values),
  };
}

/** Monotone cubic lines: they never overshoot what was measured. */
export const smooth = uPlot.paths.spline();

/** Draws a dot where a bucket stands between two gaps, which a line alone would not show. */
export const lonelyPoints = {
  show: false,
  size: 5,
  width: 0,
  filter: (u, seriesIndex) => {
    const values = u.data[seriesIndex];
    const [first, last] = u.series[0].idxs ?? [0, values.length - 1];
    const lonely = [];
    for (let i = first; i <= last; i += 1) {
      if (values[i] !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null) lonely.push(i);
    }
    return lonely.length ? lonely : null;
  },
};
