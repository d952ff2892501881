// Loads chat lines: the newest of the selected stream, or those of one span, filtered and by pages.

import { ApiError, fetchMessages } from "./api.js";
import { MAX_MESSAGES, invalidate, selectedStream, state } from "./state.js";

const PAGE = 50;
const TYPING_MS = 250;
const REFRESH_EVERY_MS = 2000;

let request = null;
let typing = 0;
let refreshed = 0;

/** Starts over: no span, no lines. Filters stay. */
export function resetMessages() {
  request?.abort();
  request = null;
  Object.assign(state.messages, { range: null, rows: [], cursor: null, status: "idle", error: null });
  state.messages.revealed.clear();
}

/** Shows the lines of [from, to) in ms; null shows the newest. */
export function showMessages(range) {
  resetMessages();
  state.messages.range = range;
  state.tab = "messages";
  if (range) state.page = "messages";
  loadMessages();
}

export function setFilter(changes) {
  Object.assign(state.messages, changes);
  clearTimeout(typing);
  typing = setTimeout(() => loadMessages(), "q" in changes ? TYPING_MS : 0);
  invalidate();
}

/** Loads the first page, or with `more` the next. */
export async function loadMessages({ more = false } = {}) {
  const stream = selectedStream();
  const box = state.messages;
  if (!stream || (more && !box.cursor)) return;
  request?.abort();
  const controller = new AbortController();
  request = controller;
  box.status = box.rows.length ? box.status : "loading";
  invalidate();
  try {
    const page = await fetchMessages(params(stream, more ? box.cursor : null), controller.signal);
    if (request !== controller) return;
    box.rows = more ? [...box.rows, ...page.messages].slice(0, MAX_MESSAGES) : page.messages;
    box.cursor = box.rows.length < MAX_MESSAGES ? page.next_cursor : null;
    box.status = "ready";
    box.error = null;
  } catch (error) {
    if (error.name === "AbortError" || request !== controller) return;
    if (!(error instanceof ApiError)) throw error;
    box.status = "error";
    box.error = error.message;
  } finally {
    if (request === controller) request = null;
  }
  invalidate();
}

function params(stream, cursor) {
  const { range, q, minToxicity, emotion } = state.messages;
  return {
    stream_id: stream.stream_id,
    from: range ? Math.floor(range.from) : null,
    to: range ? Math.ceil(range.to) : null,
    min_toxicity: minToxicity || null,
    emotion: emotion || null,
    q: q.trim() || null,
    limit: PAGE,
    cursor,
  };
}

/** New lines may have come: asks for the newest page again, unless somebody is reading further down. */
export async function refreshNewest(reading) {
  const stream = selectedStream();
  const box = state.messages;
  const now = performance.now();
  if (!stream || box.range || box.status !== "ready" || request || reading || document.hidden) return;
  if (now - refreshed < REFRESH_EVERY_MS) return;
  refreshed = now;
  const controller = new AbortController();
  request = controller;
  try {
    const page = await fetchMessages(params(stream, null), controller.signal);
    if (request !== controller) return;
    const fresh = new Set(page.messages.map((row) => row.message_id));
    const overlap = box.rows.filter((row) => !fresh.has(row.message_id));
    const joined = overlap.length < box.rows.length;
    box.rows = joined ? [...page.messages, ...overlap].slice(0, MAX_MESSAGES) : page.messages;
    if (!joined) box.cursor = page.next_cursor;
  } catch (error) {
    if (error.name !== "AbortError" && error.kind !== "network") throw error;
  } finally {
    if (request === controller) request = null;
  }
  invalidate();
}
