// Small marks that say what a stream's figures are worth: live or recorded, fresh or blind, scored or not.

import { duration, percent } from "../format.js";
import { t } from "../i18n.js";
import { html, nothing } from "../lib.js";
import { coverageState, freshness, freshnessState, isRecording } from "../streams.js";
import { icon } from "./icon.js";

export function kindBadge(stream) {
  const blind = freshnessState(stream) === "blind";
  if (stream.ended) return html`<span class="badge badge-ended">${t("stream.ended")}</span>`;
  if (blind) return html`<span class="badge badge-blind">${icon("eye-off")}${t("stream.blind")}</span>`;
  if (isRecording(stream)) return nothing;
  return html`<span class="badge badge-live"><i class="dot"></i>${t("stream.live")}</span>`;
}

export function recordingBadge(stream) {
  if (!isRecording(stream)) return nothing;
  return html`<span class="badge badge-recording">${icon("disc")}${t("stream.recording")}</span>`;
}

export function freshnessText(stream) {
  const name = freshnessState(stream);
  const age = freshness(stream);
  if (name === "blind" && age === null) return t("fresh.never");
  return t(`fresh.${name}`, { age: duration(age ?? 0) });
}

export function freshnessTitle(stream) {
  return t(`fresh.title.${freshnessState(stream)}`, { age: duration(freshness(stream) ?? 0) });
}

export function freshnessMark(stream) {
  return html`<span class="mark mark-${freshnessState(stream)}" title=${freshnessTitle(stream)}>
    <i class="dot"></i>${freshnessText(stream)}</span>`;
}

export function coverageText(stream) {
  const name = coverageState(stream);
  const known = stream.coverage !== null && stream.coverage !== undefined;
  if (name === "unknown" && !known) return t("coverage.none");
  return t(`coverage.${name}`, { share: known ? percent(Math.floor(stream.coverage * 100) / 100) : "" });
}

export function coverageMark(stream) {
  return html`<span class="mark mark-coverage-${coverageState(stream)}" title=${t("coverage.title")}>
    <i class="dot"></i>${coverageText(stream)}</span>`;
}

export function severityBadge(severity) {
  return html`<span class="badge severity severity-${severity}">${t(`severity.${severity}`)}</span>`;
}
