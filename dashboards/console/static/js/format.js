// Numbers and times for people.

import { language, t } from "./i18n.js";
import { prefs } from "./prefs.js";
import { isRecording } from "./streams.js";

const cache = new Map();

function formatter(kind, options) {
  const key = `${language()} ${kind} ${JSON.stringify(options)}`;
  if (!cache.has(key)) cache.set(key, new Intl[kind](language(), options));
  return cache.get(key);
}

export const number = (value, digits = 0) =>
  formatter("NumberFormat", { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);

export const compact = (value) =>
  formatter("NumberFormat", { notation: "compact", maximumFractionDigits: 1 }).format(value);

export const percent = (value, digits = 0) =>
  formatter("NumberFormat", { style: "percent", maximumFractionDigits: digits }).format(value);

/** Messages per second: a digit after the point below ten. */
export const rate = (value) => (value < 10 ? number(value, 1) : compact(Math.round(value)));

/** A mood of -1..1 with its sign. */
export function mood(value) {
  const rounded = Math.round(value * 100) / 100;
  if (rounded === 0) return number(0, 2);
  return (rounded > 0 ? "+" : "−") + number(Math.abs(rounded), 2);
}

/** A length of time, in one or two units. */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return t("unit.s", { n: s });
  if (s < 3600) return t(s % 60 && s < 600 ? "unit.ms" : "unit.m", { n: Math.floor(s / 60), s: s % 60 });
  const minutes = Math.floor((s % 3600) / 60);
  return t(minutes ? "unit.hm" : "unit.h", { n: Math.floor(s / 3600), m: minutes });
}

/** elapsed (since the stream's first line) or clock; recordings default to elapsed, their date is arbitrary. */
export function timeMode(stream) {
  return prefs.timeMode || (isRecording(stream) ? "elapsed" : "clock");
}

/** A time of the stream's own clock; `seconds` false leaves them out. */
export function streamTime(stream, ms, seconds = true) {
  return timeMode(stream) === "elapsed" ? elapsed(ms - stream.first_at) : clock(ms, seconds);
}

function clock(ms, seconds) {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (seconds) options.second = "2-digit";
  return formatter("DateTimeFormat", options).format(ms);
}

function elapsed(ms) {
  const total = Math.floor(Math.abs(ms) / 1000);
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const text = `${hours ? `${hours}:` : ""}${two(Math.floor((total % 3600) / 60))}:${two(total % 60)}`;
  return ms < 0 ? `−${text}` : text;
}

/** Date and time, for titles. */
export const dateTime = (ms) => formatter("DateTimeFormat", { dateStyle: "medium", timeStyle: "medium" }).format(ms);

/** mood.good | mood.mild | mood.neutral | mood.tense | mood.bad. */
export function moodWord(value) {
  if (value >= 0.35) return t("mood.good");
  if (value >= 0.1) return t("mood.mild");
  if (value > -0.1) return t("mood.neutral");
  return t(value > -0.35 ? "mood.tense" : "mood.bad");
}

/** A pseudonym's tail, enough to tell people in a chat apart. */
export const shortAuthor = (author) => author.slice(author.lastIndexOf(".") + 1).slice(0, 6);
