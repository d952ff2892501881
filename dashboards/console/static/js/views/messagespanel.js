import { percent, shortAuthor, streamTime } from "../format.js";
import { t, tOr } from "../i18n.js";
import { html, live, nothing, repeat } from "../lib.js";
import { EMOTIONS } from "../labels.js";
import { loadMessages, setFilter, showMessages } from "../messagefeed.js";
import { invalidate, selectedStream, state } from "../state.js";
import { displayName } from "../streams.js";
import { icon } from "./icon.js";

/** Scores from which a text is hidden until somebody asks for it. */
const HIDE_FROM = 0.7;
const TOXICITY_STEPS = [0.3, 0.5, 0.7, 0.9];
const TAG_FROM = 0.5;

export function messagesPanel() {
  return html`<div class="panel-tools">${scope()}${filters()}</div>
    <div class="panel-scroll" data-scroll="messages" aria-busy=${state.messages.status === "loading" ? "true" : "false"}>
      ${body()}</div>`;
}

function scope() {
  const stream = selectedStream();
  const { range } = state.messages;
  if (!range || !stream) return html`<p class="scope"><i class="dot"></i>${t("messages.newest")}${streamName(stream)}</p>`;
  const text = t("messages.of", { from: streamTime(stream, range.from), to: streamTime(stream, range.to) });
  return html`<p class="scope"><span class="chip chip-range" data-test="message-range">${icon("clock")}${text}
    <button class="icon-button" aria-label=${t("messages.clear")} title=${t("messages.clear")} data-test="clear-range"
      @click=${() => showMessages(null)}>${icon("x")}</button></span>${streamName(stream)}</p>`;
}

/** On a phone the messages are a page of their own: whose they are must stand there. */
const streamName = (stream) => (stream ? html`<span class="scope-stream narrow-only">${displayName(stream)}</span>` : nothing);

function filters() {
  const { q, minToxicity, emotion } = state.messages;
  return html`<label class="search">${icon("search")}<span class="visually-hidden">${t("messages.search")}</span>
      <input type="search" placeholder=${t("messages.search")} .value=${live(q)} data-test="message-search"
        @input=${(event) => setFilter({ q: event.target.value })}></label>
    <div class="filter-row">
      <select aria-label=${t("messages.toxicity")} data-test="filter-toxicity" class=${minToxicity ? "is-set" : ""}
        @change=${(event) => setFilter({ minToxicity: Number(event.target.value) })}>
        <option value="0" ?selected=${!minToxicity}>${t("messages.toxicity.any")}</option>
        ${TOXICITY_STEPS.map((step) => html`<option value=${step} ?selected=${step === minToxicity}>
          ${t("messages.toxicity.min", { share: percent(step) })}</option>`)}</select>
      <select aria-label=${t("messages.emotion")} data-test="filter-emotion" class=${emotion ? "is-set" : ""}
        @change=${(event) => setFilter({ emotion: event.target.value })}>
        <option value="" ?selected=${!emotion}>${t("messages.emotion.any")}</option>
        ${EMOTIONS.map((name) => html`<option value=${name} ?selected=${name === emotion}>${t(`emotion.${name}`)}</option>`)}
      </select></div>`;
}

function body() {
  const { status, error, rows, cursor } = state.messages;
  if (status === "error") {
    return html`<p class="quiet-note" role="alert">${t("messages.error", { detail: error })}
      <button class="button" @click=${() => loadMessages()}>${t("chart.retry")}</button></p>`;
  }
  if (status !== "ready") return html`<p class="quiet-note">${t("messages.loading")}</p>`;
  if (!rows.length) return html`<p class="quiet-note">${t(filtered() ? "messages.noneFiltered" : "messages.none")}</p>`;
  return html`<ol class="messages">${repeat(rows, (row) => row.message_id, line)}</ol>
    ${cursor ? html`<button class="button more" data-test="more" @click=${() => loadMessages({ more: true })}>
      ${t("messages.more")}</button>` : nothing}`;
}

function filtered() {
  const { q, minToxicity, emotion } = state.messages;
  return Boolean(q.trim() || minToxicity || emotion);
}

function line(row) {
  const stream = selectedStream();
  const author = shortAuthor(row.author ?? "");
  return html`<li class="message" data-test="message" data-message=${row.message_id}>
    <span class="message-head"><time>${stream ? streamTime(stream, row.sent_at) : ""}</time>
      <span class="author" title=${t("messages.author", { author: row.author ?? "" })}>${author}</span>
      ${isEvidence(row) ? html`<span class="evidence">${t("messages.evidence")}</span>` : nothing}
      <span class="tone">${tone(row)}</span></span>
    ${text(row)}${tags(row)}</li>`;
}

/** Whether the selected alert names this line. */
function isEvidence(row) {
  return state.alerts.get(state.selectedAlert)?.evidence?.includes(row.message_id) ?? false;
}

/** What hides a text: hate before toxicity, or null. */
function hiddenBy(row) {
  if ((row.hate ?? 0) >= HIDE_FROM) return ["messages.hate", row.hate];
  if ((row.toxicity ?? 0) >= HIDE_FROM) return ["messages.toxic", row.toxicity];
  return null;
}

function text(row) {
  const hidden = hiddenBy(row);
  const shown = state.messages.revealed.has(row.message_id);
  if (hidden && !shown) {
    const label = t("messages.hidden", { what: t(hidden[0]), share: percent(hidden[1]) });
    return html`<button class="reveal" data-test="reveal" @click=${() => reveal(row, true)}>${icon("eye-off")}${label}</button>`;
  }
  const hide = hidden ? html`<button class="hide" data-test="hide" @click=${() => reveal(row, false)}>
    ${icon("eye-off")}${t("messages.hide")}</button>` : nothing;
  return html`<p class="message-text" dir="auto" lang=${row.lang ?? ""} data-test="message-text">${row.text || html`<i>${t("messages.empty")}</i>`}</p>${hide}`;
}

function reveal(row, shown) {
  if (shown) state.messages.revealed.add(row.message_id);
  else state.messages.revealed.delete(row.message_id);
  invalidate();
}

function tone(row) {
  if (row.abstained) return html`<span class="muted">${t("messages.abstained")}</span>`;
  if (row.scored === false) return html`<span class="muted">${t("messages.unscored")}</span>`;
  const s = row.sentiment ?? 0;
  return html`<i class="dot tone-${s >= 0.15 ? "good" : s <= -0.15 ? "bad" : "mid"}"></i>`;
}

function tags(row) {
  if (row.abstained || row.scored === false) return nothing;
  const emotions = topEmotions(row.emotions).filter(([name]) => name !== "neutral").slice(0, 2);
  const warnings = [["toxicity", "messages.toxic"], ["hate", "messages.hate"], ["sarcasm", "messages.sarcasm"]]
    .filter(([name]) => (row[name] ?? 0) >= TAG_FROM);
  if (!emotions.length && !warnings.length) return nothing;
  return html`<span class="tags">${emotions.map(([name, value]) => html`<span class="tag">${tOr(`emotion.${name}`, name)}
    ${percent(value)}</span>`)}${warnings.map(([name, key]) => html`<span class="tag tag-warn">${t(key)}
    ${percent(row[name])}</span>`)}</span>`;
}

const TOP_FROM = 0.15;

/** [label, score] of the clearest emotions, whether they come as an object or as a list. */
function topEmotions(emotions) {
  const pairs = Array.isArray(emotions)
    ? emotions.map((e) => (Array.isArray(e) ? e : [e.label, e.score ?? e.mean ?? e.value]))
    : Object.entries(emotions ?? {});
  return pairs.filter(([, value]) => value >= TOP_FROM).sort((a, b) => b[1] - a[1]);
}
