// Which alerts are listed, and what opening one does.

import { select } from "./feed.js";
import { showMessages } from "./messagefeed.js";
import { invalidate, selectedStream, state } from "./state.js";
import { severityRank, streamNow } from "./streams.js";
import { showAround } from "./view.js";

/** Lines before an alert that help to see what it broke into, and how much of a long one is shown at first. */
const LEAD_MS = 5000;
const MAX_SHOWN_MS = 3 * 60e3;

export const isOpen = (alert) => alert.state !== "closed";

/** Alerts in the chosen scope: open ones first, the worst and newest on top. */
export function listedAlerts() {
  return [...state.alerts.values()]
    .filter((alert) => state.alertScope === "all" || touches(alert, state.selected))
    .filter((alert) => !state.openOnly || isOpen(alert))
    .sort(byUrgency);
}

const touches = (alert, streamId) => alert.stream_id === streamId || (alert.channels?.includes(streamId) ?? false);

function byUrgency(a, b) {
  if (isOpen(a) !== isOpen(b)) return isOpen(a) ? -1 : 1;
  if (isOpen(a) && a.severity !== b.severity) return severityRank(b.severity) - severityRank(a.severity);
  return b.started_at - a.started_at;
}

/** Selects an alert and brings its time into view. */
export function openAlert(alert) {
  if (!touches(alert, state.selected)) select(alert.stream_id);
  state.selectedAlert = alert.alert_id;
  state.tab = "alerts";
  const stream = selectedStream();
  if (stream) showAround(alert.started_at, alert.ended_at ?? streamNow(stream));
  invalidate({ charts: true });
}

/** Shows the chat lines of an alert. */
export function showEvidence(alert) {
  openAlert(alert);
  const stream = selectedStream();
  if (!stream) return;
  const end = Math.min((alert.ended_at ?? streamNow(stream)) + 1000, alert.started_at + MAX_SHOWN_MS);
  showMessages({ from: alert.started_at - LEAD_MS, to: end });
}
