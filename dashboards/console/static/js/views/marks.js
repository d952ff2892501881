// A person's word on an alert: right, wrong, or muted for a while.

import { fetchMarks, postMark } from "../api.js";
import { t } from "../i18n.js";
import { html, nothing } from "../lib.js";
import { invalidate } from "../state.js";

const VERDICTS = ["right", "wrong", "muted"];
const said = new Map(); // by alert: { verdict of the newest mark or null, failed }

export function marks(alert) {
  const { verdict, failed } = known(alert.alert_id);
  return html`<div class="marks" data-test="marks" role="group" aria-label=${t("marks.question")}>
    <h4>${t("marks.question")}</h4>
    <div class="segmented">${VERDICTS.map((each) => html`
      <button aria-pressed=${each === verdict ? "true" : "false"} data-test=${`mark-${each}`}
        @click=${() => give(alert.alert_id, each)}>${t(`marks.${each}`)}</button>`)}</div>
    ${failed ? html`<p role="status">${t("marks.failed")}</p>` : nothing}</div>`;
}

function known(alertId) {
  if (!said.has(alertId)) {
    keep(alertId, { verdict: null, failed: false });
    fetchMarks(alertId).then(
      ({ marks: [newest] }) => {
        // a click that came first counts
        if (newest && said.get(alertId).verdict === null) keep(alertId, { verdict: newest.verdict, failed: false });
      },
      () => {}, // the buttons work without knowing what was said before
    );
  }
  return said.get(alertId);
}

async function give(alertId, verdict) {
  const before = known(alertId).verdict;
  keep(alertId, { verdict, failed: false });
  try {
    await postMark(alertId, { verdict });
  } catch {
    keep(alertId, { verdict: before, failed: true });
  }
}

function keep(alertId, what) {
  said.set(alertId, what);
  invalidate();
}
