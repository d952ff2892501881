import { alertSpans } from "../charts/group.js";
import { openAlert } from "../alerts.js";
import { streamTime } from "../format.js";
import { t, tOr } from "../i18n.js";
import { html, ref, repeat } from "../lib.js";
import { bounds } from "../view.js";

const MIN_WIDTH_PERCENT = 1.2;
const MAX_ROWS = 3;

/** Alerts as bars above the charts, on their time axis; each is a button. */
export function alertLane(stream) {
  const [from, to] = bounds(stream);
  const spans = rowed(alertSpans(stream).filter((span) => span.to >= from && span.from <= to), (to - from) / 50);
  const rows = 1 + Math.max(0, ...spans.map((span) => span.row));
  return html`<div class="lane" role="group" aria-label=${t("alerts.lane")}><div class="lane-track lane-rows-${rows}">
    ${repeat(spans, (span) => span.alert.alert_id, (span) => bar(stream, span, from, to))}</div></div>`;
}

/** Gives each span the first row that is free at its time, the worst first; beyond MAX_ROWS they overlap. */
function rowed(spans, air) {
  const taken = Array.from({ length: MAX_ROWS }, () => []);
  return spans.toReversed().map((span) => {
    const free = taken.findIndex((row) => row.every((o) => span.from > Math.max(o.to, o.from + air) || o.from > Math.max(span.to, span.from + air)));
    const row = free < 0 ? MAX_ROWS - 1 : free;
    taken[row].push(span);
    return { ...span, row };
  });
}

function bar(stream, { alert, from: start, to: end, severity, selected, row }, from, to) {
  const percent = (ms) => ((Math.min(to, Math.max(from, ms)) - from) / (to - from)) * 100;
  const left = Math.min(100 - MIN_WIDTH_PERCENT, percent(start));
  const width = Math.max(MIN_WIDTH_PERCENT, percent(end) - left);
  const kind = tOr(`kind.${alert.kind}`, alert.kind);
  const label = t("alerts.jump", { kind, time: streamTime(stream, alert.started_at) });
  return html`<button class="lane-bar lane-row-${row} severity-${severity} ${selected ? "is-selected" : ""}" title=${label} aria-label=${label}
    data-test="lane-alert" data-alert=${alert.alert_id} @click=${() => openAlert(alert)}
    ${ref((element) => place(element, left, width))}>${width > 9 ? html`<span>${kind}</span>` : ""}</button>`;
}

/** Through the object model: the page's content policy forbids style attributes. */
function place(element, left, width) {
  if (!element) return;
  element.style.left = `${left}%`;
  element.style.width = `${width}%`;
}
