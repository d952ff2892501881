import pytest

from connectors.simulator.recording import Line, Truth
from infra.detection_bench.naive_rules import naive_alerts
from infra.detection_bench.scoring import Raised, Tally


def truth(
    kind: str = "hate_raid", start_s: int = 100, channels: tuple[str, ...] = ("a/1",), accounts: int = 30
) -> Truth:
    hostile = kind != "friendly_raid"
    return Truth(
        stream=channels[0],
        kind=kind,
        alert=None,
        hostile=hostile,
        family=f"{kind}.some",
        started_at_ms=1000 * start_s,
        ended_at_ms=1000 * start_s + 20_000,
        first_hostile_ms=1000 * start_s if hostile else None,
        fifth_account_ms=1000 * start_s + 2_000 if hostile else None,
        accounts=accounts,
        messages=60,
        channels=channels,
        parameters={"ramp_s": 8.0},
    )


def raised(
    kind: str = "attack.raid", start_s: int = 101, *, streams: tuple[str, ...] = ("a/1",), late_s: int = 4
) -> Raised:
    return Raised(kind, streams, 1000 * start_s, 1000 * (start_s + late_s), 1000 * (start_s + 30))


def tally(truths: list[Truth], alerts: list[Raised]) -> Tally:
    counted = Tally()
    counted.add(truths, alerts, stream_hours=2.0)
    return counted


def test_an_event_is_found_by_an_alert_on_its_stream_at_its_time() -> None:
    figures = tally([truth()], [raised()]).figures()
    assert (figures["recall"], figures["precision"], figures["false_per_stream_hour"]) == (1.0, 1.0, 0.0)
    assert figures["seconds"]["median_s"] == 5.0
    assert figures["quick_raids_from_fifth_account"]["median_s"] == 3.0


@pytest.mark.parametrize(
    "alert",
    [
        raised(streams=("b/1",)),
        raised(start_s=130),
        raised(start_s=40),
        raised(late_s=60),
        raised(kind="flood.account"),
    ],
)
def test_another_stream_time_or_kind_finds_nothing(alert: Raised) -> None:
    assert tally([truth()], [alert]).figures()["recall"] == 0.0


def test_an_alert_for_a_friendly_raid_is_false_and_told_by_family() -> None:
    counted = tally([truth("friendly_raid")], [raised(), raised("raid.friendly")])
    figures = counted.figures()
    assert (figures["precision"], figures["false_per_stream_hour"]) == (0.0, 0.5)
    assert figures["friendly_raids"]["recognised"] == 1.0
    assert counted.benign_attacked == {"friendly_raid.some": 1}


def test_a_wave_must_be_one_alert_that_lists_most_of_its_channels() -> None:
    channels = ("a/1", "b/1", "c/1", "d/1")
    wave = truth("wave", channels=channels)
    alone = [raised(streams=(name,)) for name in channels]
    assert tally([wave], alone).figures()["waves"]["as_one_alert"] == 0.0
    assert tally([wave], alone).figures()["recall"] == 1.0
    assert (
        tally([wave], [raised("attack.wave", streams=channels[:3])]).figures()["waves"]["as_one_alert"] == 1.0
    )


def test_a_drip_must_be_found_within_ninety_seconds() -> None:
    slow = [truth("slow_drip"), truth("slow_drip", start_s=400)]
    found = [raised(), raised(start_s=300, late_s=195)]
    assert tally(slow, found).figures()["drips"]["within_90_s"] == 0.5


def test_naive_rules_see_a_repeating_user_and_miss_fifty_who_post_once() -> None:
    flood = [Line(stream="a/1", offset_ms=1000 * n, author="one", text="look at me now") for n in range(9)]
    crowd = [Line(stream="b/1", offset_ms=100 * n, author=f"u{n}", text=f"line {n} of it") for n in range(50)]
    (episode,) = naive_alerts(sorted([*flood, *crowd], key=lambda line: line.offset_ms))
    assert episode.streams == ("a/1",)
    assert (episode.started_ms, episode.ended_ms) == (2_000, 8_000)
