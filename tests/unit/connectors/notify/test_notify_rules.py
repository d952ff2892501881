from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.notify.config import SEVERITIES
from connectors.notify.rules import Told, matches, news_of, rank, verdict
from schemas.records import AlertKind, AlertState, Severity
from tests.unit.connectors.notify.notices import START_MS, alert, config

KINDS = st.sampled_from(get_args(AlertKind))
SEVERITY = st.sampled_from(SEVERITIES)
QUIET_NOW = {"timezone": "UTC", "from": "23:00", "to": "08:00"}


def rule(**fields: object):  # type: ignore[no-untyped-def]
    return config(dict(fields)).rules[0]


def test_globs_name_channels_and_kinds() -> None:
    raids = rule(channels=["twitch:some*"], kinds=["attack.*"])
    assert matches(raids, alert())
    assert not matches(raids, alert(kind="hype", severity="critical"))
    assert not matches(raids, alert(channel="youtube:x", channels=("youtube:x/1",)))


def test_a_wave_matches_by_any_of_its_streams() -> None:
    wave = alert(kind="attack.wave", channel="twitch:a", channels=("twitch:a/1", "twitch:b/2"))
    assert matches(rule(channels=["twitch:b"]), wave)
    assert not matches(rule(channels=["twitch:c"]), wave)


def test_a_rule_is_about_its_workspace_only() -> None:
    assert not matches(rule(), alert(workspace="customer"))
    assert matches(rule(workspace="customer"), alert(workspace="customer"))


@settings(deadline=None)
@given(kind=KINDS, severity=SEVERITY, least=SEVERITY)
def test_severity_is_a_floor(kind: AlertKind, severity: Severity, least: Severity) -> None:
    assert matches(rule(severity=least), alert(kind=kind, severity=severity)) == (
        rank(severity) >= rank(least)
    )


@settings(deadline=None)
@given(
    severity=SEVERITY,
    before=SEVERITY,
    state=st.sampled_from(get_args(AlertState)),
    revision=st.integers(1, 9),
    known=st.integers(1, 9),
    dropped=st.booleans(),
)
def test_only_newer_revisions_are_news(
    severity: Severity, before: Severity, state: AlertState, revision: int, known: int, dropped: bool
) -> None:
    news = news_of(alert(severity=severity, state=state, revision=revision), Told(known, before, dropped))
    if revision <= known:
        assert news is None
    elif rank(severity) > rank(before):
        assert news == "worse"
    else:
        assert news == ("closed" if state == "closed" and not dropped else None)


def test_quiet_hours_hold_drop_or_let_through() -> None:
    mild, grave = alert(severity="medium"), alert(severity="critical")
    held = config({"quiet": QUIET_NOW})
    assert verdict(held, "hook", mild, "open", START_MS) == ("r0", START_MS + 8 * 3_600_000)
    assert verdict(held, "hook", grave, "open", START_MS) == ("r0", START_MS)
    dropped = config({"quiet": QUIET_NOW | {"then": "drop"}})
    assert verdict(dropped, "hook", mild, "open", START_MS) == ("r0", None)


def test_the_most_permissive_rule_decides() -> None:
    both = config({"quiet": QUIET_NOW | {"then": "drop"}}, {"quiet": QUIET_NOW}, {"kinds": ["attack.*"]})
    assert verdict(both, "hook", alert(), "open", START_MS) == ("r2", START_MS)
    assert verdict(both, "hook", alert(kind="hype"), "open", START_MS) == ("r1", START_MS + 8 * 3_600_000)


def test_updates_are_told_where_the_rule_says_so() -> None:
    quietly = config({"updates": []})
    assert verdict(quietly, "hook", alert(), "open", START_MS) is not None
    assert verdict(quietly, "hook", alert(), "closed", START_MS) is None
    assert verdict(quietly, "elsewhere", alert(), "open", START_MS) is None
