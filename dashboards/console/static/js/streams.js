// What a stream's row means: how fresh it is, whether it can be trusted, how much attention it needs. Pure.

export const SEVERITIES = ["info", "low", "medium", "high", "critical"];

/** Seconds without any sign of a stream after which it is late, and blind. Heartbeats come each second. */
const LATE_S = 5;
const BLIND_S = 15;
/** Share of scored lines below which the mood is doubtful, and unknown; lines of emotes alone never have a score. */
const LOW_COVERAGE = 0.7;
const NO_COVERAGE = 0.3;
const REORDER_EVERY_MS = 5000;
const PLATFORM_NAMES = {
  twitch: "Twitch", youtube: "YouTube", telegram: "Telegram", replay: "Replay", simulator: "Simulator",
};

export const severityRank = (severity) => SEVERITIES.indexOf(severity);

export const isRecording = (stream) => stream.platform === "replay" || stream.channel.startsWith("replay:");

/** Name for people: the channel without its platform. */
export const displayName = (stream) => stream.channel.slice(stream.channel.indexOf(":") + 1) || stream.channel;

/** Platform for people. */
export function platformName(stream) {
  const name = stream.platform || stream.channel.split(":", 1)[0];
  return PLATFORM_NAMES[name] ?? name;
}

/** The title, where it says more than the name. */
export const subtitle = (stream) => (stream.title && stream.title !== displayName(stream) ? stream.title : "");

/** Seconds since the stream last showed itself, by the server's figure and the time since we got it. */
export function freshness(stream, now = performance.now()) {
  if (stream.ended || stream.freshness_s === null || stream.freshness_s === undefined) return null;
  return stream.freshness_s + (now - stream.receivedAt) / 1000;
}

/** ended | blind | late | fresh. */
export function freshnessState(stream, now = performance.now()) {
  if (stream.ended) return "ended";
  const age = freshness(stream, now);
  if (age === null || age > BLIND_S) return "blind";
  return age > LATE_S ? "late" : "fresh";
}

/** unknown (too few lines scored to speak of a mood) | low | good | idle (no lines to score). */
export function coverageState(stream) {
  if (stream.coverage === null || stream.coverage === undefined) return stream.messages > 0 ? "unknown" : "idle";
  if (stream.coverage < NO_COVERAGE) return "unknown";
  return stream.coverage < LOW_COVERAGE ? "low" : "good";
}

/** The end of the stream's own time axis in ms: it goes on while the stream is silent, so blindness has a width. */
export function streamNow(stream, now = performance.now()) {
  const silent = freshnessState(stream, now) === "fresh" || stream.ended ? 0 : freshness(stream, now) ?? 0;
  return stream.last_at + Math.min(silent, 3600) * 1000;
}

function attention(stream) {
  const severity = stream.open_alerts > 0 ? severityRank(stream.worst_severity) + 1 : 0;
  const blind = freshnessState(stream) === "blind" ? 1 : 0;
  // Rates in octaves: small changes must not shuffle the list.
  const rate = Math.round(Math.log2(1 + Math.max(0, stream.rate_per_s ?? 0)));
  return [stream.ended ? 0 : 1, severity, blind, rate];
}

/**
 * Seconds of a stream's own time that pass in one of ours, at least 1: more while a recording is replayed fast.
 * The figure follows slowly, so that one late row does not upset it.
 */
export function paceOf(known, row, receivedAt) {
  if (!known || receivedAt - known.receivedAt < 200) return known?.pace ?? 1;
  const now = (row.last_at - known.last_at) / (receivedAt - known.receivedAt);
  return Math.max(1, 0.5 * known.pace + 0.5 * now);
}

/** Stream ids, those that need attention first. */
export function attentionOrder(streams) {
  const rows = [...streams].map((stream) => [attention(stream), stream]);
  rows.sort(([a, x], [b, y]) => {
    for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return b[i] - a[i];
    if (x.ended) return y.last_at - x.last_at;
    return x.channel.localeCompare(y.channel) || x.stream_id.localeCompare(y.stream_id);
  });
  return rows.map(([, stream]) => stream.stream_id);
}

/** Keeps the list's order still for a while, and as long as somebody points at it. */
export class Order {
  #at = -Infinity;
  held = false;

  next(streams, previous, now = performance.now()) {
    const same = previous.length === streams.size && previous.every((id) => streams.has(id));
    if (same && (this.held || now - this.#at < REORDER_EVERY_MS)) return previous;
    this.#at = now;
    return attentionOrder(streams.values());
  }
}
