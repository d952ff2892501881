// What a source's row means: whether its channel is heard, and what it missed. Pure.

const STATES = ["blocked", "offline", "degraded", "connecting", "live"];

/** The source of a stream's channel, or null; recordings have none. */
export const sourceOf = (sources, stream) => sources.get(stream.channel) ?? null;

/** Whether the figures of the channel's streams can be trusted as far as its source goes. */
export const isHeard = (source) => source.state === "live";

/** Sources that are not heard and were not taken off the list, the worst first. */
export function troubled(sources) {
  return [...sources.values()]
    .filter((source) => !isHeard(source) && !(source.state === "offline" && source.reason === "removed"))
    .sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || a.channel.localeCompare(b.channel));
}
