// Buckets of one stream over a time range, as the columns that the charts draw. Pure.

export const BASIC = ["joy", "surprise", "sadness", "fear", "anger", "disgust"];

/** Steps that a range may be shown in, ms. */
const STEPS_MS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600].map((s) => s * 1000);
const MAX_BUCKETS = 2000;
/** Activity comes by the second; over longer ranges the windows' counts do. */
export const ACTIVITY_MAX_MS = 2 * 3600e3;

/** Step for about `buckets` points over `spanMs`. */
export function stepFor(spanMs, buckets = 200) {
  return STEPS_MS.find((step) => spanMs / step <= buckets) ?? STEPS_MS.at(-1);
}

/** Adds per-second rows up to buckets of `stepMs`; authors are left out, they may not be added. */
export function bucketActivity(rows, stepMs) {
  const buckets = new Map();
  for (const row of rows) {
    const start = row.second_ms - (row.second_ms % stepMs);
    const bucket = buckets.get(start) ?? { messages: 0, first_time_authors: 0, newest: -1, talking: false };
    bucket.messages += row.messages;
    bucket.first_time_authors += row.first_time_authors ?? 0;
    if (row.second_ms > bucket.newest) Object.assign(bucket, { newest: row.second_ms, talking: row.messages > 0 });
    buckets.set(start, bucket);
  }
  return buckets;
}

/** Drops the oldest entries of a Map keyed by time, so that it holds at most `most`. */
export function trim(map, most = MAX_BUCKETS) {
  if (map.size <= most) return;
  const keys = [...map.keys()].sort((a, b) => a - b);
  for (const key of keys.slice(0, map.size - most)) map.delete(key);
}

/**
 * Columns on a regular grid, so that one index means one bucket in every chart.
 *
 * `gap[i]` is what the bucket does not tell: null (nothing missing), `quiet` (seen, and nobody wrote),
 * `abstained` (the model looked and judged nothing, as of emotes alone), `unscored` (people wrote, the mood is unknown) or `nodata` (nobody looked). Activity has a row for each second
 * with lines and one zero row where a silence begins: without that row, missing seconds are no silence. Buckets
 * from `pendingFrom` on may still be on their way and are not judged.
 */
export function columnsOf({ points, activity, stepMs, from, to, isBlind, pendingFrom }) {
  const first = from - (from % stepMs);
  const count = Math.max(0, Math.min(MAX_BUCKETS, Math.ceil((to - first) / stepMs)));
  const column = () => new Array(count).fill(null);
  const columns = {
    stepMs, count, starts: column(), x: column(), gap: column(), rate: column(), newcomers: column(),
    sentiment: column(), sentimentLow: column(), sentimentHigh: column(),
    toxicity: column(), toxicityLow: column(), toxicityHigh: column(), hate: column(),
    basic: Object.fromEntries([...BASIC, "neutral"].map((name) => [name, column()])),
    coverage: column(), messages: column(),
  };
  let talking = false; // the last row of activity had lines, so more rows must follow
  for (let i = 0; i < count; i += 1) {
    const start = first + i * stepMs;
    const [point, seen] = [points.get(start), activity.get(start)];
    columns.starts[i] = start;
    columns.x[i] = (start + stepMs / 2) / 1000;
    const pending = start + stepMs > pendingFrom;
    const unseen = !point && !seen && (talking || isBlind(start, start + stepMs));
    fill(columns, i, point, seen, { unseen, pending });
    if (seen) talking = seen.talking;
    else if (point) talking = false;
  }
  return columns;
}

function fill(columns, i, point, activity, { unseen, pending }) {
  const messages = Math.max(point?.messages ?? 0, activity?.messages ?? 0);
  const mood = point?.sentiment ?? null;
  const abstained = messages > 0 && (point?.abstained ?? 0) >= messages;
  columns.gap[i] = pending ? null : gapOf({ unseen, messages, mood, abstained });
  const known = point !== undefined || activity !== undefined;
  if (known || columns.gap[i] === "quiet") {
    const seconds = columns.stepMs / 1000;
    columns.messages[i] = messages;
    columns.rate[i] = messages / seconds;
    columns.newcomers[i] = (activity?.first_time_authors ?? point?.new_authors ?? 0) / seconds;
  }
  if (messages === 0 || mood === null) return;
  columns.coverage[i] = point.coverage;
  for (const name of ["sentiment", "toxicity"]) {
    const value = point[name];
    if (!value) continue;
    columns[name][i] = value.mean;
    columns[`${name}Low`][i] = value.low;
    columns[`${name}High`][i] = value.high;
  }
  columns.hate[i] = point.hate ?? null;
  for (const name of Object.keys(columns.basic)) columns.basic[name][i] = point.basic?.[name]?.mean ?? null;
}

function gapOf({ unseen, messages, mood, abstained }) {
  if (messages > 0 && mood !== null) return null;
  if (messages > 0) return abstained ? "abstained" : "unscored";
  return unseen ? "nodata" : "quiet";
}

/** Runs of equal gaps that are to be marked, as [{kind, from, to}] in ms. */
export function gapSpans(columns) {
  const spans = [];
  for (let i = 0; i < columns.count; i += 1) {
    const kind = columns.gap[i];
    if (kind !== "nodata" && kind !== "unscored") continue;
    const from = columns.starts[i];
    const last = spans.at(-1);
    if (last?.kind === kind && last.to === from) last.to = from + columns.stepMs;
    else spans.push({ kind, from, to: from + columns.stepMs });
  }
  return spans;
}
