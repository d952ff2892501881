"""One stream: files its lines by second and has each second evaluated once, when its clock says so."""

from typing import Final

import msgspec

from pipelines.core.detection import clock, recovery
from pipelines.core.detection.crowd import gather
from pipelines.core.detection.decision import decide
from pipelines.core.detection.detectors import DETECTORS
from pipelines.core.detection.detectors.mood import MoodShift, MoodTurn
from pipelines.core.detection.episodes import Episodes
from pipelines.core.detection.lines import Line
from pipelines.core.detection.memory import Memory
from pipelines.core.detection.state import BLOCK_S, ChannelState, Mood, StreamState
from pipelines.core.detection.traces import Trace, traces
from pipelines.core.detection.view import View
from schemas.labels import SCALE
from schemas.records import Activity, Alert

MAX_LINES_PER_SECOND: Final = 2_000
"""Lines kept per second of a stream; more are counted, and the rate is recorded as sampled."""


MOOD_LAG_S: Final = 3
"""Windows are used with this fixed lag on the stream's clock; what is not there then is unscored."""
MOOD_SPAN_S: Final = 30
MAX_MOODS: Final = 120
"""Windows kept ahead of their use."""
UNUSUAL: Final = ("mood.toxic", "mood.negative", "mood.shift", "attack.raid")
MOODS: Final = (MoodTurn(), MoodShift())


class Output(msgspec.Struct):
    """What the engine found out: alert revisions and activity rows in order of evaluation."""

    alerts: list[Alert] = []
    activity: list[Activity] = []
    late: int = 0
    """Lines whose second had already been evaluated."""
    traces: list[Trace] = []
    """What detection over several channels needs to know."""

    def extend(self, other: "Output") -> None:
        """Append what another call gave."""
        self.alerts.extend(other.alerts)
        self.activity.extend(other.activity)
        self.late += other.late
        self.traces.extend(other.traces)


class Stream:
    """Behaviour around a StreamState; nothing here outlives the state."""

    def __init__(self, channel: ChannelState, state: StreamState) -> None:
        self.state = state
        self._channel = channel
        self._memory = Memory(state)
        self._episodes = Episodes(channel.workspace, channel.channel, state.stream_id, state)
        self._ids: dict[int, set[str]] = {}
        """Message ids of the open seconds, so that a repeated one counts once; derived from the lines."""

    def take(self, line: Line, out: Output) -> None:
        """Take one line or heartbeat and evaluate the seconds that it finishes."""
        state = self.state
        if not state.pending and state.clock >= 0 and line.at <= state.clock + clock.MAX_JUMP_MS:
            # what `accept` does when nothing waits, without its detour
            state.ahead = 0
            state.clock = max(state.clock, line.until)
            self._file(line, out)
            end = (state.clock - clock.GRACE_MS) // 1000
            if end > state.next_second:
                self._evaluate(end, out)
            return
        for accepted in clock.accept(state, line):
            self._file(accepted, out)
            self._evaluate((state.clock - clock.GRACE_MS) // 1000, out)

    def feel(self, mood: Mood) -> None:
        """Keep a window until its lag is over; one that comes too late is left."""
        state = self.state
        if mood.second < (state.mood_due[0] if state.mood_due else state.next_second):
            return
        state.moods[mood.second] = mood
        if len(state.moods) > MAX_MOODS:
            del state.moods[min(state.moods)]

    def close(self, line: Line, out: Output) -> None:
        """The stream has ended: evaluate everything, close every episode."""
        state = self.state
        waiting = [*state.pending, line]
        for accepted in clock.flush(state, min(other.at for other in waiting)):
            self._file(accepted, out)
            self._evaluate((state.clock - clock.GRACE_MS) // 1000, out)
        for late in sorted(state.pending, key=lambda other: other.at):
            self._file(late, out)
        state.pending = []
        state.clock = max(state.clock, line.until, *(1000 * second for second in state.open), 0)
        self._evaluate(max([state.clock // 1000, *state.open]) + 1, out)
        self._mood(state.next_second, out)
        out.alerts.extend(self._episodes.close_all())
        if not state.calm:
            out.activity.append(self._row(state.next_second))

    def _file(self, line: Line, out: Output) -> None:
        if not line.message_id:
            return
        state = self.state
        second = line.at // 1000
        if second < state.next_second:
            state.late += 1
            out.late += 1
            return
        ids = self._ids.get(second)
        if ids is None:
            ids = self._ids[second] = {kept.message_id for kept in state.open.get(second, ())}
        if line.message_id in ids:
            return
        ids.add(line.message_id)
        lines = state.open.setdefault(second, [])
        if len(lines) < MAX_LINES_PER_SECOND:
            lines.append(line)
        else:
            state.overflow[second] = state.overflow.get(second, 0) + 1

    def _evaluate(self, end: int, out: Output) -> None:
        """Evaluate all seconds before `end`: those with lines, and silent ones while something is open."""
        state = self.state
        due = sorted(second for second in state.open if second < end)
        for second in due:
            self._silence(second, out)
            self._second(second, out)
            state.next_second = second + 1
        self._silence(end, out)
        state.next_second = max(state.next_second, end)

    def _silence(self, end: int, out: Output) -> None:
        """Pass the silent seconds before `end`: nothing can happen in them but a close and one zero row."""
        state = self.state
        if state.next_second >= end:
            return
        if not state.calm:
            out.activity.append(self._row(state.next_second))
            state.calm = True
        for second in range(state.next_second, end):
            if not (state.episodes or state.mood_due):
                break
            self._mood(second - MOOD_LAG_S, out)
            out.alerts.extend(self._episodes.expire(second))

    def _mood(self, last: int, out: Output) -> None:
        """Look at the windows up to that of second `last`: those that came in time, once."""
        state = self.state
        while state.mood_due and state.mood_due[0] <= last:
            second = state.mood_due.pop(0)
            mood = state.moods.pop(second, None)
            if mood is None:
                state.unscored += 1
                continue
            state.recent_moods.append(mood)
            findings = [finding for kind in MOODS for finding in kind.step(second, state, self._channel)]
            out.alerts.extend(self._episodes.update(second + MOOD_LAG_S, findings))
            recovery.follow(second, state, self._channel)
            self._learn_mood(second)

    def _learn_mood(self, second: int) -> None:
        """Windows that left the detectors' span go into the channel's baselines, less so in an episode."""
        recent = self.state.recent_moods
        while recent and recent[0].second <= second - MOOD_SPAN_S:
            row = recent.pop(0)
            weight = 0.1 if any(kind in self.state.episodes for kind in UNUSUAL) else 1.0
            channel = self._channel
            channel.toxicity.add(row.scored, row.toxicity_sum / SCALE, row.toxicity_sumsq / SCALE**2, weight)
            channel.sentiment.add(
                row.scored, row.sentiment_sum / SCALE, row.sentiment_sumsq / SCALE**2, weight
            )
            for usual, total, squares in zip(channel.basic, row.basic_sum, row.basic_sumsq, strict=False):
                usual.add(row.scored, total / SCALE, squares / SCALE**2, weight)

    def _second(self, second: int, out: Output) -> None:
        state = self.state
        self._mood(second - MOOD_LAG_S, out)
        lines = state.open.pop(second)
        dropped = state.overflow.pop(second, 0)
        state.mood_due.append(second)
        self._ids.pop(second, None)
        row, touched = self._memory.take(second, lines, self._channel)
        state.calm = False
        activity = self._row(second)
        out.activity.append(
            msgspec.structs.replace(
                activity,
                messages=row.messages + dropped,
                authors=row.authors,
                first_time_authors=row.newcomers,
                duplicates=row.duplicates,
                links=row.links,
                emotes=row.emotes,
                sample_rate=row.messages / (row.messages + dropped),
            )
        )
        crowd = gather(second, lines, state, self._channel)
        view = View(row, lines, touched, state, self._channel, crowd)
        findings = decide([finding for detector in DETECTORS for finding in detector.step(view)], state)
        out.alerts.extend(self._episodes.expire(second))
        out.alerts.extend(self._episodes.update(second, findings))
        if crowd is not None:
            row.hostile = crowd.arrived(second)
            out.traces.extend(traces(second, lines, crowd, state, self._channel))
        self._learn(second)

    def _learn(self, second: int) -> None:
        """Put finished blocks into the channel's baselines."""
        block = second // BLOCK_S
        recent = self.state.recent
        if len(recent) < 2 or recent[-2].second // BLOCK_S == block:
            return
        last = recent[-2].second // BLOCK_S
        rows = [row for row in recent if row.second // BLOCK_S == last]
        self._channel.rate.add(last, sum(row.messages - row.system for row in rows))
        self._channel.newcomer_rate.add(last, sum(row.newcomers for row in rows))
        if "attack.raid" not in self.state.episodes:
            self._channel.hostile_rate.add(last, sum(row.hostile for row in rows))

    def _row(self, second: int) -> Activity:
        return Activity(
            workspace=self._channel.workspace,
            channel=self._channel.channel,
            stream_id=self.state.stream_id,
            second_ms=second * 1000,
            messages=0,
            authors=0,
            first_time_authors=0,
            duplicates=0,
            links=0,
            emotes=0,
        )
