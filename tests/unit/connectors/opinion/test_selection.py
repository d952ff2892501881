"""Which lines are asked about, and why."""

from typing import Any

import msgspec
import pytest

from connectors.opinion.selection import OpenAlerts, ScoredLine, Selection
from connectors.opinion.settings import OpinionSettings
from schemas.codecs import encode
from tests.fixtures.store import NOW_MS
from tests.unit.connectors.opinion.lines import alert, near

THRESHOLDS = {"toxicity": 0.47, "toxicity@es": 0.28, "sarcasm": 0.44}
HOUR_MS = 3_600_000


def _line(**changes: Any) -> ScoredLine:
    return msgspec.json.decode(encode(near("m1", **changes)), type=ScoredLine)


def _selection(alerts: OpenAlerts | None = None, **changes: Any) -> Selection:
    settings = OpinionSettings(
        **({"share": 1, "alert_share": 1, "margin": 0.1, "sentiment_margin": 0.05} | changes)
    )
    return Selection(settings, lambda model, version: THRESHOLDS, alerts or OpenAlerts(settings.alerts))


def test_of_a_record_nothing_is_read_that_could_name_the_author() -> None:
    assert not {"author", "author_flags", "reply_to"} & set(ScoredLine.__struct_fields__)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"toxicity": 0.38}, "toxicity"),
        ({"toxicity": 0.57}, "toxicity"),
        ({"toxicity": 0.36}, None),
        ({"toxicity": 0.9}, None),
        ({"toxicity": 0.3, "lang": "es"}, "toxicity"),
        ({"toxicity": 0.45, "lang": "es"}, None),
        ({"toxicity": 0.0, "sarcasm": 0.5}, "sarcasm"),
        ({"toxicity": 0.40, "sarcasm": 0.45}, "sarcasm"),
        ({"toxicity": 0.0, "sentiment": -0.04}, "sentiment"),
        ({"toxicity": 0.0, "sentiment": -0.3}, None),
        ({"abstained": True}, None),
    ],
)
def test_lines_near_a_decision_line_of_their_language_are_asked(
    changes: dict[str, Any], reason: str | None
) -> None:
    assert _selection().reason(_line(**changes), NOW_MS) == reason


def test_a_model_without_thresholds_decides_at_one_half() -> None:
    settings = OpinionSettings(share=1, margin=0.1)
    selection = Selection(settings, lambda model, version: {}, OpenAlerts(()))
    assert selection.reason(_line(toxicity=0.58), NOW_MS) == "toxicity"
    assert selection.reason(_line(toxicity=0.38), NOW_MS) is None


def test_only_channels_that_are_named_are_sent() -> None:
    assert _selection(channels=("youtube:*", "twitch:other")).reason(_line(), NOW_MS) is None
    assert _selection(channels=("twitch:*",)).reason(_line(), NOW_MS) == "toxicity"


def test_an_open_alert_draws_attention_to_its_streams_until_it_closes() -> None:
    alerts = OpenAlerts(("mood.*",))
    selection = _selection(alerts)
    far = _line(toxicity=0.9)
    wave = {"kind": "mood.toxic", "channels": ("s0", "s1")}
    alerts.see(alert("default", "a1", **wave), NOW_MS)
    alerts.see(alert("default", "a2", **wave), NOW_MS)
    assert selection.reason(far, NOW_MS) == "alert"
    assert selection.reason(_line(toxicity=0.9, stream_id="s2"), NOW_MS) is None
    alerts.see(alert("default", "a1", 2, state="closed", **wave), NOW_MS)
    assert selection.reason(far, NOW_MS) == "alert"
    alerts.see(alert("default", "a2", 2, state="closed", **wave), NOW_MS)
    alerts.see(alert("default", "a2", 2, state="closed", **wave), NOW_MS)
    assert selection.reason(far, NOW_MS) is None


def test_alerts_of_other_kinds_other_workspaces_and_long_ago_draw_none() -> None:
    alerts = OpenAlerts(("mood.*",))
    selection = _selection(alerts)
    alerts.see(alert("default", "a1", kind="attack.raid"), NOW_MS)
    alerts.see(alert("other", "a2", kind="mood.toxic"), NOW_MS)
    alerts.see(alert("default", "a3", kind="mood.toxic"), NOW_MS - 7 * HOUR_MS)
    assert selection.reason(_line(toxicity=0.9), NOW_MS) is None
    alerts.see(alert("default", "a4", kind="mood.toxic", channels=("s9",)), NOW_MS)
    assert alerts._open.keys() == {("other", "s1"), ("default", "s9")}


@pytest.mark.parametrize("shares", [{"share": 0.2}, {"share": 0, "alert_share": 0.2}])
def test_a_sample_is_asked_and_the_same_one_every_time(shares: dict[str, float]) -> None:
    alerts = OpenAlerts(("mood.*",))
    alerts.see(alert("default", "a1", kind="mood.toxic"), NOW_MS)
    selection = _selection(alerts, **({"alert_share": 0} | shares))
    lines = [msgspec.structs.replace(_line(), message_id=f"m{at}") for at in range(500)]
    first = [selection.reason(one, NOW_MS) for one in lines]
    assert first == [selection.reason(one, NOW_MS) for one in lines]
    assert 60 < sum(reason is not None for reason in first) < 140
