import { feed } from "../feed.js";
import { language, t } from "../i18n.js";
import { html, nothing } from "../lib.js";
import { setPrefs, theme } from "../prefs.js";
import { invalidate, state } from "../state.js";
import { freshnessState } from "../streams.js";
import { toggleTheme } from "../theme.js";
import { icon } from "./icon.js";

export function topbar() {
  return html`<header class="topbar">
    <a class="skip" href="#charts" @click=${skip}>${t("skip")}</a>
    <div class="brand"><img src="/static/favicon.svg" alt="" width="26" height="26"><h1>Pulse</h1>
      <span class="tagline">${t("app.tagline")}</span></div>
    ${summary()}
    <div class="topbar-end">${health()}${connection()}
      <button class="icon-button" lang=${language() === "ru" ? "en" : "ru"} title=${t("lang.switch")}
        aria-label=${`${other()}: ${t("lang.switch")}`} data-test="lang" @click=${switchLanguage}>${other()}</button>
      <button class="icon-button" title=${themeLabel()} aria-label=${themeLabel()} data-test="theme"
        @click=${toggleTheme}>${icon(theme() === "dark" ? "sun" : "moon")}</button>
      <button class="icon-button wide-only" title=${t("help.open")} aria-label=${t("help.open")} data-test="help"
        @click=${openHelp}>${icon("keyboard")}</button>
    </div>
  </header>`;
}

const other = () => (language() === "ru" ? "EN" : "RU");
const themeLabel = () => t(theme() === "dark" ? "theme.toLight" : "theme.toDark");

function skip(event) {
  event.preventDefault();
  document.querySelector("#charts")?.focus();
}

function openHelp() {
  state.help = true;
  invalidate();
}

function switchLanguage() {
  setPrefs({ lang: language() === "ru" ? "en" : "ru" });
  document.documentElement.lang = language();
  invalidate({ charts: true });
}

function summary() {
  if (!state.streams.size) return nothing;
  const streams = [...state.streams.values()];
  const alerts = streams.reduce((sum, stream) => sum + (stream.open_alerts ?? 0), 0);
  const blind = streams.filter((stream) => freshnessState(stream) === "blind").length;
  return html`<p class="summary">
    <span>${t("summary.streams", { count: streams.length })}</span>
    <span class=${alerts ? "summary-alerts" : ""}>${t("summary.alerts", { count: alerts })}</span>
    ${blind ? html`<span class="summary-blind">${t("summary.blind", { count: blind })}</span>` : nothing}</p>`;
}

function health() {
  const status = state.health?.status;
  if (!status || status === "ok" || status === "healthy") return nothing;
  return html`<span class="badge badge-late">${icon("triangle-alert")}${t("health.degraded")}</span>`;
}

function connection() {
  const name = state.connection.state;
  const text = t(`connection.${name}`);
  return html`<span class="connection connection-${name}" role="status" data-test="connection" data-state=${name}
    title=${t("connection.title", { state: text })}><i class="dot"></i><span>${text}</span></span>`;
}

/** The line across the page that says that what is shown may be old. */
export function connectionBanner() {
  const { state: name, retryAt } = state.connection;
  if (name === "stale") return html`<p class="banner banner-warn" role="alert">${icon("unplug")}${t("connection.staleLong")}</p>`;
  if (name !== "reconnecting") return nothing;
  const wait = Math.ceil((retryAt - Date.now()) / 1000);
  const text = wait > 0 ? t("connection.lost", { wait: t("unit.s", { n: wait }) }) : t("connection.lostNow");
  return html`<p class="banner banner-bad" role="alert">${icon("unplug")}<span>${text}</span>
    <button class="button" @click=${() => feed.retryNow()}>${t("connection.retry")}</button></p>`;
}
