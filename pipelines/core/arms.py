"""Which streams the other model of an A/B test scores."""

from collections.abc import Iterable

from pipelines.core.sampling import sampled


def in_arm_b(streams: Iterable[tuple[str, str]], share: float) -> list[bool]:
    """For each (workspace, stream_id) whether arm b scores it; `share` (0 to 1) of all streams do.

    By hash alone: a stream stays in its arm over restarts, replays and workers, and a larger share only adds
    streams to b.
    """
    known: dict[tuple[str, str], bool] = {}
    found = []
    for stream in streams:
        if (arm := known.get(stream)) is None:
            arm = known[stream] = sampled("|".join(stream), share)
        found.append(arm)
    return found
