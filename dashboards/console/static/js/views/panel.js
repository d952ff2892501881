import { t } from "../i18n.js";
import { html, nothing } from "../lib.js";
import { loadMessages } from "../messagefeed.js";
import { invalidate, state } from "../state.js";
import { alertsPanel } from "./alertspanel.js";
import { icon } from "./icon.js";
import { messagesPanel } from "./messagespanel.js";
import { listedAlerts, isOpen } from "../alerts.js";

/** The right column: alerts, or messages. On a phone each is a page of its own. */
export function panel() {
  return html`<aside class="panel" data-page="panel" aria-label=${t(`nav.${state.tab}`)}>
    <div class="tabs" role="tablist">${tab("alerts", "bell", openCount())}${tab("messages", "message-square", 0)}</div>
    <div class="tab-body" role="tabpanel" id="panel-body" aria-labelledby=${`tab-${state.tab}`}>
      ${state.tab === "alerts" ? alertsPanel() : messagesPanel()}</div></aside>`;
}

const openCount = () => listedAlerts().filter(isOpen).length;

const openEverywhere = () => [...state.alerts.values()].filter(isOpen).length;

function tab(name, symbol, count) {
  const chosen = state.tab === name;
  return html`<button role="tab" id=${`tab-${name}`} aria-selected=${chosen ? "true" : "false"} aria-controls="panel-body"
    tabindex=${chosen ? "0" : "-1"} data-test=${`tab-${name}`} @click=${() => showTab(name)} @keydown=${onKey}>
    ${icon(symbol)}${t(`nav.${name}`)}${count ? html`<span class="count">${count}</span>` : nothing}</button>`;
}

function onKey(event) {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  showTab(state.tab === "alerts" ? "messages" : "alerts");
  requestAnimationFrame(() => document.querySelector("[role=tab][aria-selected=true]")?.focus());
  event.preventDefault();
  event.stopPropagation();
}

export function showTab(name) {
  state.tab = name;
  if (name === "messages" && state.messages.status === "idle") loadMessages();
  invalidate();
}

/** The phone's bar at the bottom. */
export function bottomNav() {
  const item = (page, symbol) => html`<button aria-current=${state.page === page ? "page" : "false"}
    data-test=${`nav-${page}`} @click=${() => showPage(page)}>${icon(symbol)}<span>${t(`nav.${page}`)}</span>
    ${page === "alerts" && openEverywhere() ? html`<span class="count">${openEverywhere()}</span>` : nothing}</button>`;
  return html`<nav class="bottom-nav" aria-label=${t("app.title")}>${item("streams", "list")}${item("stream", "chart-line")}
    ${item("alerts", "bell")}${item("messages", "message-square")}</nav>`;
}

function showPage(page) {
  state.page = page;
  if (page === "alerts" || page === "messages") showTab(page);
  invalidate({ charts: page === "stream" });
}
