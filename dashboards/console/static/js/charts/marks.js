// Marks under and over the lines: what is not known (hatched, dotted) and alert spans. A uPlot plugin.

import { t } from "../i18n.js";
import { fade, palette } from "./palette.js";

const LABEL_MIN_PX = 70;

/** @param {() => {gaps: Array, alerts: Array}} marks spans in ms; read at each draw. */
export function marksPlugin(marks, { labels = false, ignore = [] } = {}) {
  return {
    hooks: {
      drawClear: (u) => {
        for (const alert of marks().alerts) drawAlert(u, alert);
      },
      draw: (u) => {
        for (const gap of marks().gaps) if (!ignore.includes(gap.kind)) drawGap(u, gap, labels);
      },
    },
  };
}

/** Canvas pixels of a span within the plot, or null outside of it. */
function pixels(u, from, to) {
  const { left, width } = u.bbox;
  const x0 = Math.max(left, u.valToPos(from / 1000, "x", true));
  const x1 = Math.min(left + width, u.valToPos(to / 1000, "x", true));
  return x1 - x0 > 0 ? [x0, x1] : null;
}

function drawAlert(u, { from, to, severity, selected }) {
  const span = pixels(u, from, to);
  if (!span) return;
  const { ctx } = u;
  const { top, height } = u.bbox;
  const colour = palette()[severity] ?? palette().medium;
  const width = Math.max(2 * devicePixelRatio, span[1] - span[0]);
  ctx.save();
  ctx.fillStyle = fade(colour, selected ? 0.16 : 0.07);
  ctx.fillRect(span[0], top, width, height);
  ctx.fillStyle = fade(colour, selected ? 0.9 : 0.55);
  ctx.fillRect(span[0], top, Math.max(1, devicePixelRatio), height);
  ctx.restore();
}

function drawGap(u, { kind, from, to }, labels) {
  const span = pixels(u, from, to);
  if (!span) return;
  const { ctx } = u;
  const { top, height } = u.bbox;
  const width = span[1] - span[0];
  const colour = palette()[kind];
  ctx.save();
  ctx.fillStyle = fade(colour, 0.07);
  ctx.fillRect(span[0], top, width, height);
  ctx.fillStyle = pattern(ctx, kind, colour);
  ctx.fillRect(span[0], top, width, height);
  if (labels && width / devicePixelRatio > LABEL_MIN_PX) drawLabel(ctx, kind, (span[0] + span[1]) / 2, top + height / 2);
  ctx.restore();
}

function drawLabel(ctx, kind, x, y) {
  const text = t(`chart.${kind}`);
  const ratio = devicePixelRatio;
  ctx.font = `600 ${11 * ratio}px Inter, system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  const half = ctx.measureText(text).width / 2 + 7 * ratio;
  ctx.fillStyle = palette().surface;
  ctx.beginPath();
  ctx.roundRect(x - half, y - 10 * ratio, half * 2, 20 * ratio, 6 * ratio);
  ctx.fill();
  ctx.fillStyle = palette().text;
  ctx.fillText(text, x, y + ratio / 2);
}

/** Diagonal lines where nobody looked, dots where people wrote and the mood is unknown. */
function pattern(ctx, kind, colour) {
  const ratio = devicePixelRatio;
  const size = Math.round(8 * ratio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  if (kind === "nodata") {
    pen.strokeStyle = fade(colour, 0.55);
    pen.lineWidth = 1.2 * ratio;
    pen.beginPath();
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift, size);
      pen.lineTo(shift + size, 0);
    }
    pen.stroke();
  } else {
    pen.fillStyle = fade(colour, 0.8);
    pen.beginPath();
    pen.arc(size / 2, size / 2, 1.1 * ratio, 0, 2 * Math.PI);
    pen.fill();
  }
  return ctx.createPattern(tile, "repeat");
}
