"""One campaign over several channels, joined from the traces of their streams."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.detection.engine import Engine
from pipelines.core.detection.traces import Report, Trace
from pipelines.core.detection.wave import MAX_TRACES, Waves, WaveState
from schemas.records import Alert, AuthorFlags, ChatMessage
from tests.unit.pipelines.core.detection.chat_records import (
    START_MS,
    YOUNG_S,
    beat,
    in_order,
    say,
    small_talk,
)

CHANNELS = ("north", "east", "south", "west")
FRESH = AuthorFlags(first_message=True, account_age_s=YOUNG_S)
GUEST = AuthorFlags(first_message=True, account_age_s=400 * 24 * 3600)
OFFER = "come over to the other place where all of us have gone tonight"
END_S = 420


def on(channel: str, at_s: float, author: str, text: str, flags: AuthorFlags) -> ChatMessage:
    return say(at_s, author, text, stream=channel, channel=f"replay:{channel}", flags=flags)


def talk(channel: str) -> list[ChatMessage]:
    return [
        msgspec.structs.replace(record, channel=f"replay:{channel}", stream_id=channel)
        for record in [*small_talk(0, END_S), beat(END_S, END_S, closing=True)]
    ]


def campaign(flags: AuthorFlags, text: str = OFFER, each: int = 3, channels: int = 4) -> list[ChatMessage]:
    """Few newcomers on each channel, all with one text."""
    return [
        on(name, 300 + 5 * number + place, f"{name}{number}", f"{text} {number}", flags)
        for place, name in enumerate(CHANNELS[:channels])
        for number in range(each)
    ]


def reports(records: list[ChatMessage], tick: int = 50) -> list[Report]:
    """One engine for each channel, as buckets have them, each telling of itself every few records."""
    found: list[Report] = []
    for source, name in enumerate(CHANNELS):
        engine = Engine()
        own = [record for record in records if record.stream_id == name]
        for start in range(0, len(own), tick):
            output = engine.process(own[start : start + tick])
            (upto,) = engine.progress().values()
            found.append(Report(source, upto, output.traces))
    return interleaved(found, random.Random(1))


def everything(lines: list[ChatMessage]) -> list[ChatMessage]:
    return in_order(*(talk(name) for name in CHANNELS), lines)


def interleaved(found: list[Report], rng: random.Random) -> list[Report]:
    """The reports in another order of sources; that of one source stays, and each begins at once."""
    queues = [[report for report in found if report.source == source] for source in range(len(CHANNELS))]
    mixed = [queue.pop(0) for queue in queues]
    while queues := [queue for queue in queues if queue]:
        mixed.append(rng.choice(queues).pop(0))
    return mixed


def joined(found: list[Report]) -> list[Alert]:
    waves = Waves(live=False)
    alerts: list[Alert] = []
    for report in found:
        waves.take(report)
        alerts += waves.advance()
    return alerts + waves.finish()


def episodes(alerts: list[Alert]) -> list[Alert]:
    return list({alert.alert_id: alert for alert in alerts}.values())


@pytest.mark.parametrize("flags", [FRESH, GUEST])
def test_one_text_by_newcomers_of_four_channels_is_one_alert_that_lists_them(flags: AuthorFlags) -> None:
    lines = campaign(flags) if flags is FRESH else campaign(flags, "you are a clown, quit already and go")
    (wave,) = episodes(joined(reports(everything(lines))))
    assert wave.kind == "attack.wave"
    assert set(wave.channels) == set(CHANNELS)
    assert wave.authors == 12
    assert (wave.started_at - START_MS) // 1000 == 300
    assert wave.state == "closed"
    assert wave.evidence
    assert wave.detected_at - wave.started_at < 25_000


def test_insults_in_other_words_at_the_same_time_are_a_wave_too() -> None:
    insults = ("you are a clown", "nobody likes you loser", "what a pathetic fraud", "get out idiot")
    lines = [
        msgspec.structs.replace(record, text=f"{insults[number % 4]} {number}")
        for number, record in enumerate(campaign(FRESH))
    ]
    (wave,) = episodes(joined(reports(everything(lines))))
    assert len(wave.channels) == 4


def test_few_accounts_that_go_round_the_channels_are_a_wave_where_nobody_knows_their_age_too() -> None:
    lines = [
        on(name, 300 + 4 * place + 7 * number, f"thug{number}", text.format(number), flags)
        for place, (name, text, flags) in enumerate(
            zip(
                CHANNELS,
                (
                    "you clown {}",
                    "rendez vous chez nous ce soir {}",
                    "you loser {}",
                    "kommt alle mit zu uns {}",
                ),
                (FRESH, AuthorFlags(), FRESH, AuthorFlags()),
                strict=True,
            )
        )
        for number in range(3)
    ]
    (wave,) = episodes(joined(reports(everything(lines))))
    assert set(wave.channels) == set(CHANNELS)
    assert wave.authors == 3


def test_stragglers_of_a_wave_that_is_over_are_no_second_one() -> None:
    lines = campaign(FRESH)
    late = max(line.sent_at for line in lines) + 65_000
    straggler = msgspec.structs.replace(lines[0], message_id="late", sent_at=late, received_at=late)
    assert len(episodes(joined(reports(everything([*lines, straggler]))))) == 1


def test_guests_who_say_hello_on_four_channels_are_no_wave() -> None:
    lines = campaign(GUEST, "hello there, nice to meet all of you tonight")
    assert joined(reports(everything(lines))) == []


def test_an_attack_on_one_channel_alone_is_no_wave() -> None:
    assert joined(reports(everything(campaign(FRESH, each=20, channels=1)))) == []


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(20, 120))
def test_the_order_in_which_sources_report_changes_nothing(rng: random.Random, tick: int) -> None:
    lines = everything(campaign(FRESH))
    assert joined(interleaved(reports(lines, tick), rng)) == joined(reports(lines))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=6))
def test_a_state_that_was_stored_goes_on_as_if_nothing_had_happened(cuts: list[int]) -> None:
    found = interleaved(reports(everything(campaign(FRESH))), random.Random(3))
    waves = Waves(live=False)
    alerts: list[Alert] = []
    for number, report in enumerate(found):
        if number in cuts:
            waves = Waves(
                msgspec.msgpack.decode(msgspec.msgpack.encode(waves.state), type=WaveState), live=False
            )
        waves.take(report)
        alerts += waves.advance()
    assert alerts + waves.finish() == joined(found)


def trace(second: int, stream: str, number: int) -> Trace:
    return Trace("default", "", second, f"twitch:{stream}", stream, number, 0, b"", 0.9, f"{stream}-{number}")


def test_a_live_stream_with_a_slow_clock_does_not_hold_up_the_others() -> None:
    waves = Waves(live=True)
    for source, name in enumerate(CHANNELS):
        waves.take(Report(source, 1_000, [trace(999, name, 10 * source + n) for n in range(3)]))
    waves.take(Report(9, 400, []))
    assert waves.advance() == []
    for source in range(len(CHANNELS)):
        waves.take(Report(source, 1_011, []))
    assert [alert.kind for alert in waves.advance()] == ["attack.wave"]


def test_a_source_without_streams_is_not_waited_for() -> None:
    waves = Waves(live=False)
    for source, name in enumerate(CHANNELS):
        waves.take(Report(source, 1_000, [trace(999, name, 10 * source + n) for n in range(3)]))
    waves.take(Report(9, 400, []))
    waves.take(Report(9, None, []))
    assert [alert.state for alert in waves.advance()] == ["open"]
    for source in range(len(CHANNELS)):
        waves.take(Report(source, None, []))
    assert [alert.state for alert in waves.finish()] == ["closed"]
    assert waves.idle


def test_the_state_stays_bounded_whatever_comes() -> None:
    waves = Waves(live=False)
    waves.take(Report(1, 0, []))
    for second in range(300):
        waves.take(Report(0, second, [trace(second, "north", 1_000 * second + n) for n in range(50)]))
    assert len(waves.state.waiting) == MAX_TRACES
    waves.take(Report(1, 1_000, []))
    waves.take(Report(0, 1_000, []))
    waves.advance()
    assert len(waves.state.recent) <= MAX_TRACES
    assert len(msgspec.msgpack.encode(waves.state)) < 2 * MAX_TRACES * 250
