"""Inject a scenario's events into recorded chat: recorded lines stay as they are, byte by byte."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from connectors.replay.recorded_line import RecordedLine, parse_line
from connectors.simulator.draws import generator
from connectors.simulator.generator import play
from connectors.simulator.people import Audience, Viewer, new_id, newcomer
from connectors.simulator.recording import Line, Truth
from connectors.simulator.scenario import Channel, Scenario
from connectors.simulator.speech import Speech, own_emotes
from connectors.simulator.stage import Stage
from schemas.codecs import InvalidRecordError
from schemas.records import Emote

EMOTES: Final = 30
"""How many of a stream's most used emotes simulated lines choose from."""
PRESENCE_S: Final = 300.0
"""How long before the first and after the last line somebody is taken to watch."""


class InjectionError(ValueError):
    """The recording cannot carry the scenario; the message says why and what to do."""


@dataclass
class _RecordedStream:
    """What a recording tells of one stream."""

    name: str
    last_ms: int = 0
    accounts_known: bool = False
    whole_seconds: bool = True
    lines: Counter[str] = field(default_factory=Counter)
    first_ms: dict[str, int] = field(default_factory=dict)
    seen_ms: dict[str, int] = field(default_factory=dict)
    badges: dict[str, tuple[str, ...]] = field(default_factory=dict)
    emotes: Counter[str] = field(default_factory=Counter)

    def hear(self, line: RecordedLine) -> None:
        at = int(line.offset_ms)
        self.whole_seconds &= at % 1000 == 0
        self.last_ms = max(self.last_ms, at)
        self.accounts_known |= line.account_age_s is not None
        self.lines[line.author] += 1
        self.first_ms.setdefault(line.author, at)
        self.seen_ms[line.author] = at
        self.badges[line.author] = line.badges or ()
        self.emotes.update(emote.name if isinstance(emote, Emote) else emote for emote in line.emotes or ())


def inject(
    scenario: Scenario, seed: int, recorded: Sequence[bytes], *, shift_s: float = 0.0
) -> tuple[list[bytes], list[Truth]]:
    """The recorded lines with the scenario's lines among them, and the truth of the injected events.

    The streams of the recording, in order of first appearance, take the places of the scenario's channels;
    further streams stay without events. Regulars of an event are people of the stream, its emotes are the
    stream's; account fields and parts of a second are written only where the recording has them. An injected
    line stands after the recorded lines of its stream up to its time; events after a stream's end have no
    lines and no truth.

    Args:
        scenario: its events count; rates, regulars and length are the recording's.
        seed: as in `simulate`.
        recorded: JSON lines of recorded chat, without line breaks.
        shift_s: added to the start of every event.

    Raises:
        InjectionError: a line cannot be read, or there are fewer streams than channels.
    """
    streams, owner = _read(recorded)
    if len(streams) < len(scenario.channels):
        raise InjectionError(
            f"the recording has {len(streams)} streams, scenario {scenario.name!r} needs "
            f"{len(scenario.channels)}: give a recording with more streams or a smaller scenario"
        )
    stages = {
        channel.name: _stage(channel, stream, (scenario.name, seed, stream.name))
        for channel, stream in zip(scenario.channels, streams.values(), strict=False)
    }
    simulation = play(scenario, seed, stages, shift_s=shift_s)
    return _merge(recorded, owner, simulation.lines), simulation.truth


def _read(recorded: Sequence[bytes]) -> tuple[dict[str, _RecordedStream], list[tuple[str, int]]]:
    streams: dict[str, _RecordedStream] = {}
    owner: list[tuple[str, int]] = []
    for number, raw in enumerate(recorded, 1):
        try:
            line = parse_line(raw)
        except InvalidRecordError as error:
            raise InjectionError(f"line {number} of the recording: {error}") from None
        streams.setdefault(line.stream, _RecordedStream(line.stream)).hear(line)
        owner.append((line.stream, int(line.offset_ms)))
    return streams, owner


def _stage(channel: Channel, stream: _RecordedStream, key: tuple[object, ...]) -> Stage:
    people, words, rng = (generator(*key, part) for part in ("people", "words", "lines"))
    regulars: list[Viewer] = []
    for author, _ in stream.lines.most_common():
        viewer = newcomer(people, (60, 4000))
        viewer.id, viewer.new, viewer.badges = author, False, stream.badges[author]
        viewer.here_from_s = stream.first_ms[author] / 1000 - PRESENCE_S
        viewer.here_to_s = stream.seen_ms[author] / 1000 + PRESENCE_S
        regulars.append(viewer)
    bot = Viewer(new_id(people), 4 * 365 * 86_400, ("moderator/1",))
    weights = [count for _, count in stream.lines.most_common()]
    known = [name for name, _ in stream.emotes.most_common(EMOTES)]
    emotes = own_emotes("", words)
    return Stage(
        channel.model_copy(update={"accounts_known": stream.accounts_known}),
        stream.name,
        (stream.last_ms + 1) / 1000,
        Audience(regulars, weights, bot, people),
        Speech(channel.language, dict.fromkeys(emotes, known) if known else emotes, words),
        rng,
        resolution_ms=1000 if stream.whole_seconds else 1,
    )


def _merge(
    recorded: Sequence[bytes], owner: Sequence[tuple[str, int]], injected: Sequence[Line]
) -> list[bytes]:
    waiting: dict[str, list[Line]] = defaultdict(list)
    for line in reversed(injected):  # the earliest of each stream lies on top
        waiting[line.stream].append(line)
    left = Counter(stream for stream, _ in owner)
    encoder = msgspec.json.Encoder()
    merged: list[bytes] = []
    for raw, (stream, at_ms) in zip(recorded, owner, strict=True):
        stack = waiting.get(stream, [])
        while stack and stack[-1].offset_ms < at_ms:
            merged.append(encoder.encode(stack.pop()))
        merged.append(raw)
        left[stream] -= 1
        if not left[stream]:
            merged.extend(encoder.encode(stack.pop()) for _ in range(len(stack)))
    return merged
