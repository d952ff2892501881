// Pan and zoom beyond what uPlot brings: sideways wheel, Ctrl-wheel, Shift-drag, fingers. A uPlot plugin.

import { selectedStream, state } from "../state.js";
import { bounds, moveTo, showLive, showSpan, zoom } from "../view.js";

const CLICK_PX = 5;
const WHEEL_ZOOM = 1.0015;

/** @param {(index: number) => void} onPick called with the bucket that somebody clicked. */
export function gesturesPlugin(onPick) {
  return { hooks: { ready: (u) => bind(u, onPick) } };
}

function bind(u, onPick) {
  const { over } = u;
  const msAt = (clientX) => u.posToVal(clientX - over.getBoundingClientRect().left, "x") * 1000;
  bindWheel(u, over, msAt);
  bindTouch(over);
  let down = null;
  over.addEventListener("pointerdown", (event) => {
    down = { x: event.clientX, shift: event.shiftKey, view: bounds() };
  });
  over.addEventListener("pointermove", (event) => {
    if (!down?.shift || event.pointerType === "touch") return;
    const [from, to] = down.view;
    const by = ((down.x - event.clientX) / over.clientWidth) * (to - from);
    moveTo(from + by, to + by);
  });
  over.addEventListener("click", (event) => {
    const moved = down && Math.abs(event.clientX - down.x) > CLICK_PX;
    down = null;
    if (!moved && u.cursor.idx !== null && u.cursor.idx !== undefined) onPick(u.cursor.idx);
  });
  over.addEventListener("dblclick", () => {
    if (!selectedStream()?.ended) showLive();
  });
}

function bindWheel(u, over, msAt) {
  over.addEventListener(
    "wheel",
    (event) => {
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (event.ctrlKey || event.metaKey) {
        zoom(WHEEL_ZOOM ** event.deltaY, state.view.live ? null : msAt(event.clientX));
      } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
        const [from, to] = bounds();
        const by = (sideways / over.clientWidth) * (to - from);
        moveTo(from + by, to + by);
      } else return;
      event.preventDefault();
    },
    { passive: false },
  );
}

/** One finger moves sideways (up and down still scrolls the page), two zoom. */
function bindTouch(over) {
  let start = null;
  const fingers = (event) => [...event.touches].map((touch) => touch.clientX);
  const begin = (event) => {
    start = event.touches.length ? { at: fingers(event), view: bounds() } : null;
  };
  over.addEventListener("touchstart", begin, { passive: true });
  over.addEventListener("touchend", begin, { passive: true });
  over.addEventListener(
    "touchmove",
    (event) => {
      const now = fingers(event);
      if (!start || now.length !== start.at.length) return;
      const [from, to] = start.view;
      const perPx = (to - from) / over.clientWidth;
      if (now.length === 1) {
        const by = (start.at[0] - now[0]) * perPx;
        if (Math.abs(start.at[0] - now[0]) > CLICK_PX) moveTo(from + by, to + by);
        return;
      }
      const left = over.getBoundingClientRect().left;
      const factor = Math.abs(start.at[0] - start.at[1]) / Math.max(1, Math.abs(now[0] - now[1]));
      const centre = from + ((start.at[0] + start.at[1]) / 2 - left) * perPx;
      showSpan(centre - (centre - from) * factor, centre + (to - centre) * factor);
      event.preventDefault();
    },
    { passive: false },
  );
}
