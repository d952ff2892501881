// What each chart draws: its series, its scale, and the figures of one bucket.

import { mood, number, percent, rate } from "../format.js";
import { t } from "../i18n.js";
import { uPlot } from "../lib.js";
import { prefs } from "../prefs.js";
import { BASIC } from "../series.js";
import { lonelyPoints, smooth, yAxis } from "./axes.js";
import { fade, palette } from "./palette.js";

const NO_POINTS = { show: false };
const MIN_MOOD = 0.4;
const MIN_SHARE = 0.1;

const largest = (columns) => columns.reduce((most, column) => column.reduce((m, v) => (v > m ? v : m), most), 0);
const line = (stroke, width = 2) => ({ stroke, width, paths: smooth, points: lonelyPoints, spanGaps: false });
const edge = () => ({ stroke: "transparent", width: 0, paths: smooth, points: NO_POINTS });
const swatch = (label, colour, value) => ({ label, colour, value });

/** Green above zero, red below, along the chart's own scale. */
function moodStroke(u) {
  const { top, height } = u.bbox;
  const [min, max] = [u.scales.y.min ?? -1, u.scales.y.max ?? 1];
  const colours = palette();
  if (!Number.isFinite(height) || height <= 0) return colours.mid;
  const gradient = u.ctx.createLinearGradient(0, top, 0, top + height);
  const at = (value) => Math.min(1, Math.max(0, (max - value) / (max - min)));
  gradient.addColorStop(at(0.12), colours.good);
  gradient.addColorStop(at(0), colours.mid);
  gradient.addColorStop(at(-0.12), colours.bad);
  return gradient;
}

export const moodChart = {
  key: "mood",
  weight: 1.5,
  series: () => [edge(), edge(), line(moodStroke, 2.25)],
  bands: () => [{ series: [2, 1], fill: () => fade(palette().mid, 0.2) }],
  data: (c) => [c.sentimentLow, c.sentimentHigh, c.sentiment],
  range: (u) => {
    const most = Math.max(MIN_MOOD, ...[1, 2].map((i) => largest([u.data[i].map((v) => Math.abs(v ?? 0))])));
    const bound = Math.min(1, Math.ceil(most * 5.5) / 5);
    return [-bound, bound];
  },
  axis: () => yAxis((v) => mood(Math.round(v * 100) / 100).replace(/[.,]00$/, "").replace(/([.,]\d)0$/, "$1"), 22),
  values: (c, i) => {
    if (c.sentiment[i] === null) return [];
    const range = t("chart.range", { low: mood(c.sentimentLow[i]), high: mood(c.sentimentHigh[i]) });
    const colours = palette();
    return [swatch(range, c.sentiment[i] >= 0 ? colours.good : colours.bad, mood(c.sentiment[i]))];
  },
};

const shownEmotions = (hidden) => BASIC.filter((name) => !hidden.has(name));

/** Basic emotions but neutral, which would dwarf them. */
export const emotionChart = {
  key: "emotions",
  weight: 1.25,
  hidden: new Set(),
  variant() {
    return `${prefs.emotionMode} ${[...this.hidden].join()}`;
  },
  series() {
    const stacked = prefs.emotionMode === "stacked";
    return shownEmotions(this.hidden).toReversed().map((name) => {
      const colour = () => palette()[`emotion-${name}`];
      if (!stacked) return line(colour, 1.75);
      return { stroke: colour, width: 1.25, points: lonelyPoints, fill: () => fade(colour(), 0.72) };
    });
  },
  bands() {
    if (prefs.emotionMode !== "stacked") return [];
    return shownEmotions(this.hidden).slice(1).map((_name, i) => ({ series: [i + 1, i + 2] }));
  },
  data(c) {
    const names = shownEmotions(this.hidden);
    if (prefs.emotionMode !== "stacked") return names.toReversed().map((name) => c.basic[name]);
    let below = new Array(c.count).fill(0);
    const layers = names.map((name) => {
      below = below.map((sum, i) => (c.basic[name][i] === null ? null : (sum ?? 0) + c.basic[name][i]));
      return below;
    });
    return layers.toReversed();
  },
  range: (u) => [0, Math.max(MIN_SHARE, largest(u.data.slice(1)) * 1.08)],
  axis: () => yAxis((v) => percent(v), 26),
  values(c, i) {
    return BASIC.map((name) => ({
      ...swatch(t(`emotion.${name}`), palette()[`emotion-${name}`], wholeShare(c.basic[name][i])),
      toggle: name,
      off: this.hidden.has(name),
    }));
  },
};

const wholeShare = (value) => (value === null || value === undefined ? "–" : percent(value));
const fmtShare = (value) => (value === null || value === undefined ? "–" : percent(value, value < 0.1 ? 1 : 0));

export const toxicityChart = {
  key: "toxicity",
  weight: 0.8,
  series: () => [edge(), edge(), line(() => palette().toxic), { ...line(() => palette().hate, 1.5), dash: [4, 3] }],
  bands: () => [{ series: [2, 1], fill: () => fade(palette().toxic, 0.18) }],
  data: (c) => [c.toxicityLow, c.toxicityHigh, c.toxicity, c.hate],
  range: (u) => [0, Math.min(1, Math.max(0.2, largest([u.data[2], u.data[3]]) * 1.1))],
  axis: () => yAxis((v) => percent(v), 22),
  values: (c, i) => {
    const colours = palette();
    return [
      swatch(t("chart.meanToxicity"), colours.toxic, fmtShare(c.toxicity[i])),
      swatch(t("chart.hate"), colours.hate, fmtShare(c.hate[i])),
    ];
  },
};

const bars = uPlot.paths.bars({ size: [0.82, 28], radius: 0.25, align: 0 });
const bar = (colour) => ({ fill: colour, stroke: colour, width: 0, paths: bars, points: NO_POINTS });

/** Counts need no model, so only unseen time is marked here. */
export const rateChart = {
  key: "rate",
  weight: 0.95,
  ignoreGaps: ["unscored"],
  series: () => [bar(() => palette().rate), bar(() => palette()["rate-strong"])],
  bands: () => [],
  data: (c) => [c.rate, c.newcomers],
  range: (u) => [0, Math.max(1, largest([u.data[1]]) * 1.1)],
  axis: () => yAxis((v) => (Number.isInteger(v) || v < 10 ? number(v, Number.isInteger(v) ? 0 : 1) : rate(v)), 24),
  values: (c, i) => {
    const colours = palette();
    const perSecond = (v) => (v === null ? "–" : `${rate(v)}${t("unit.perS")}`);
    return [
      swatch(t("chart.messages"), colours.rate, perSecond(c.rate[i])),
      swatch(t("chart.newcomers"), colours["rate-strong"], perSecond(c.newcomers[i])),
    ];
  },
};

export const CHARTS = [moodChart, emotionChart, toxicityChart, rateChart];
