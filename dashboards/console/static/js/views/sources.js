// Sources that are not heard: in the sidebar all of them, above a stream's figures its own.

import { dateTime, duration } from "../format.js";
import { t } from "../i18n.js";
import { html, nothing } from "../lib.js";
import { isHeard, sourceOf, troubled } from "../sources.js";
import { state } from "../state.js";
import { displayName, platformName } from "../streams.js";
import { icon } from "./icon.js";

/** The list of troubled sources, or nothing while all are heard. */
export function sourceList() {
  const sources = troubled(state.sources);
  if (!sources.length) return nothing;
  return html`<section class="source-list" aria-label=${t("sources.heading")} data-test="sources">
    <h3 class="list-heading">${t("sources.heading")}<span>${sources.length}</span></h3>
    <ul>${sources.map(row)}</ul></section>`;
}

function row(source) {
  return html`<li class="source" data-test="source" data-channel=${source.channel} title=${dateTime(source.since)}>
    <span class="card-name">${displayName(source)}</span><small>${platformName(source)}</small>
    ${badge(source)}${source.reason ? html`<p>${source.reason}</p>` : nothing}</li>`;
}

const badge = (source) => html`<span class="badge badge-source-${source.state}">${t(`source.${source.state}`)}</span>`;

/** Says that a stream's channel is not heard, and why. */
export function sourceBanner(stream) {
  const source = sourceOf(state.sources, stream);
  if (!source || stream.ended || isHeard(source)) return nothing;
  const said = t(`source.banner.${source.state}`, { since: dateTime(source.since) });
  return html`<p class="banner banner-warn" role="status" data-test="source-banner">${icon("unplug")}
    <span>${said}${source.reason ? ` ${t("source.reason", { reason: source.reason })}` : ""}</span></p>`;
}

/** What the stream's source missed in the last day; nothing where it missed nothing. */
export function missedNote(stream) {
  const source = sourceOf(state.sources, stream);
  if (!source?.gaps_24h) return nothing;
  const title = t("source.lastGap", { at: dateTime(source.last_gap_at), recovered: source.recovered_24h });
  return html`<span class="missed" title=${title} data-test="missed">${t("source.missed", {
    count: source.gaps_24h, length: duration(source.missed_s_24h) })}</span>`;
}
