// Starts the page: reads the address, draws on each change, opens the live feed.

import { ensureRange } from "./chartfeed.js";
import { drawCharts, prepareColumns } from "./charts/group.js";
import { select, start } from "./feed.js";
import { language, t } from "./i18n.js";
import { listenToKeys } from "./keyboard.js";
import { html, render } from "./lib.js";
import { readRoute } from "./route.js";
import { drawWith, invalidate, state } from "./state.js";
import { watchTheme } from "./theme.js";
import { loadIcons } from "./views/icon.js";
import { helpDialog, notice, syncDialog } from "./views/notices.js";
import { bottomNav, panel } from "./views/panel.js";
import { streamList } from "./views/streamlist.js";
import { streamView } from "./views/streamview.js";
import { connectionBanner, topbar } from "./views/topbar.js";

const app = document.querySelector("#app");

function page() {
  const instead = notice();
  app.dataset.page = state.page;
  app.dataset.connection = state.connection.state;
  document.title = title();
  ensureRange();
  render(
    html`${topbar()}${connectionBanner()}
      ${instead ?? html`<main class="columns">${streamList()}${streamView()}${panel()}</main>${bottomNav()}`}
      ${helpDialog()}<div class="visually-hidden" role="status" aria-live="assertive">${state.announcement}</div>`,
    app,
  );
  syncDialog();
}

/** The tab's title counts open alerts, so a tab in the background still warns. */
function title() {
  const open = [...state.streams.values()].reduce((sum, stream) => sum + (stream.open_alerts ?? 0), 0);
  return open ? `(${open}) Pulse` : t("app.title");
}

const route = readRoute();
state.workspace = route.workspace;
document.documentElement.lang = language();
watchTheme();
drawWith(prepareColumns, page, drawCharts);
listenToKeys();
addEventListener("hashchange", () => {
  const { workspace, stream } = readRoute();
  if (workspace !== state.workspace) location.reload();
  else if (stream) select(stream);
});
loadIcons();
invalidate();
start(route.stream);
