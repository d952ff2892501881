import { isOpen, listedAlerts, openAlert, showEvidence } from "../alerts.js";
import { compact, duration, number, streamTime } from "../format.js";
import { t, tOr } from "../i18n.js";
import { html, nothing, repeat } from "../lib.js";
import { invalidate, state } from "../state.js";
import { displayName } from "../streams.js";
import { severityBadge } from "./badges.js";
import { icon } from "./icon.js";
import { marks } from "./marks.js";
import { playbook } from "./playbook.js";

export function alertsPanel() {
  const alerts = listedAlerts();
  return html`<div class="panel-tools">
      <div class="segmented" role="group" aria-label=${t("alerts.heading")}>${["stream", "all"].map((scope) => html`
        <button aria-pressed=${state.alertScope === scope ? "true" : "false"} data-test=${`alert-scope-${scope}`}
          @click=${() => { state.alertScope = scope; invalidate(); }}>${t(`alerts.scope.${scope}`)}</button>`)}</div>
      <label class="check"><input type="checkbox" .checked=${state.openOnly}
        @change=${(event) => { state.openOnly = event.target.checked; invalidate(); }}>${t("alerts.openOnly")}</label></div>
    <div class="panel-scroll">
      ${alerts.length ? html`<ul class="alerts">${repeat(alerts, (alert) => alert.alert_id, card)}</ul>`
        : html`<p class="quiet-note">${t(state.openOnly ? "alerts.noneOpen" : "alerts.none")}</p>`}</div>`;
}

function card(alert) {
  const chosen = alert.alert_id === state.selectedAlert;
  const stream = state.streams.get(alert.stream_id);
  return html`<li class="alert severity-${alert.severity} ${chosen ? "is-selected" : ""}" data-test="alert"
      data-alert=${alert.alert_id}>
    <button class="alert-head" aria-expanded=${chosen ? "true" : "false"} @click=${() => openAlert(alert)}>
      <span class="alert-line"><b>${tOr(`kind.${alert.kind}`, alert.kind)}</b>
        ${severityBadge(alert.severity)}
        <span class="alert-state ${isOpen(alert) ? "is-open" : ""}">${t(`alerts.state.${alert.state}`)}</span></span>
      <span class="alert-why" data-test="alert-summary">${alert.why?.summary ?? ""}</span>
      <span class="alert-when">${state.alertScope === "all" ? html`<b>${displayName(stream ?? alert)}</b>` : nothing}
        <span>${icon("clock")}${span(alert, stream)}</span>${counts(alert)}</span>
    </button>
    ${chosen ? details(alert) : nothing}</li>`;
}

function span(alert, stream) {
  if (!stream) return "";
  const from = streamTime(stream, alert.started_at);
  if (alert.ended_at === null) return t("alerts.from", { from });
  const length = duration((alert.ended_at - alert.started_at) / 1000);
  return t("alerts.span", { from, to: streamTime(stream, alert.ended_at), length });
}

function counts(alert) {
  return html`${alert.authors ? html`<span>${t("alerts.authors", { count: alert.authors })}</span>` : nothing}
    ${alert.messages ? html`<span>${t("alerts.messages", { count: alert.messages })}</span>` : nothing}
    ${alert.channels?.length > 1 ? html`<span>${t("alerts.channels", { count: alert.channels.length })}</span>` : nothing}`;
}

function details(alert) {
  const numbers = Object.entries(alert.why ?? {}).filter(([name]) => name !== "summary");
  const delay = duration(Math.max(0, (alert.detected_at - alert.started_at) / 1000));
  return html`<div class="alert-details">
    <p>${t("alerts.detected", { delay })}</p>
    ${recovery(alert)}
    ${numbers.length ? html`<h4>${t("alerts.why")}</h4><dl>${numbers.map(([name, value]) => html`
      <div><dt>${name.replaceAll("_", " ")}</dt><dd>${readable(value)}</dd></div>`)}</dl>` : nothing}
    ${playbook(alert)}
    ${marks(alert)}
    <button class="button" data-test="evidence" @click=${() => showEvidence(alert)}>
      ${icon("message-square")}${t("alerts.show")}</button></div>`;
}

function recovery({ state: phase, recovered, recovery_s }) {
  if (phase !== "closed" || typeof recovered !== "boolean") return nothing;
  if (!recovered) return html`<p>${t("alerts.notRecovered")}</p>`;
  return html`<p>${recovery_s ? t("alerts.recovered", { delay: duration(recovery_s) }) : t("alerts.unmoved")}</p>`;
}

function readable(value) {
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return Math.abs(value) < 100_000 ? number(value) : compact(value);
  return number(value, Math.abs(value) < 10 ? 2 : 1);
}
