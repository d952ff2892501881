import { svg } from "../lib.js";

const WIDTH = 120;
const HEIGHT = 28;

/** Ten minutes of message counts as an area; nulls (nobody looked) leave a hole in it. */
export function sparkline(counts = []) {
  const most = Math.max(1, ...counts.map((count) => count ?? 0));
  const step = WIDTH / Math.max(1, counts.length - 1);
  const y = (count) => HEIGHT - 2 - (count / most) * (HEIGHT - 5);
  let line = "";
  let area = "";
  for (const [from, to] of runs(counts)) {
    const points = counts.slice(from, to).map((count, i) => `${((from + i) * step).toFixed(1)} ${y(count).toFixed(1)}`);
    line += `M${points.join("L")}`;
    area += `M${(from * step).toFixed(1)} ${HEIGHT}L${points.join("L")}L${((to - 1) * step).toFixed(1)} ${HEIGHT}Z`;
  }
  return svg`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
    <path class="spark-area" d=${area}></path><path class="spark-line" d=${line}></path></svg>`;
}

/** [from, to) of each stretch without nulls. */
function runs(counts) {
  const found = [];
  let from = -1;
  for (let i = 0; i <= counts.length; i += 1) {
    const known = i < counts.length && counts[i] !== null;
    if (known && from < 0) from = i;
    if (!known && from >= 0) {
      found.push([from, i]);
      from = -1;
    }
  }
  return found;
}
