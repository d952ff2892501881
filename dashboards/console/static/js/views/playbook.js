// What to do about an alert: fetched once per kind, severity and language.

import { fetchPlaybook } from "../api.js";
import { language, t } from "../i18n.js";
import { html, nothing } from "../lib.js";
import { invalidate } from "../state.js";

const plays = new Map(); // by "kind|severity|lang": the play, or null while it is fetched or where there is none

export function playbook({ kind, severity }) {
  const play = known(kind, severity, language());
  if (!play) return nothing;
  return html`<section class="playbook" data-test="playbook">
    <h4>${t("alerts.playbook")}</h4><p>${play.why}</p>
    <ol>${play.steps.map((step) => html`<li>${step}</li>`)}</ol>
    ${play.actions.length ? html`<h4>${t("alerts.actions")}</h4>
      <ul>${play.actions.map((action) => html`<li>${action.label}</li>`)}</ul>` : nothing}</section>`;
}

function known(kind, severity, lang) {
  const key = `${kind}|${severity}|${lang}`;
  if (!plays.has(key)) {
    plays.set(key, null);
    fetchPlaybook(kind, { severity, lang }).then(
      (play) => { plays.set(key, play); invalidate(); },
      () => plays.delete(key), // asked again at the next redraw
    );
  }
  return plays.get(key);
}
