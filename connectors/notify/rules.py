"""Who is told of an alert, and when; pure functions of the configuration, the alert and the time."""

from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from connectors.notify.config import SEVERITIES, NotifyConfig, Rule, Update
from schemas.records import Alert, Severity

News = Literal["open"] | Update


class Verdict(NamedTuple):
    """What the rules say for one target; `not_before` (ms) is null where quiet hours drop the alert."""

    rule: str
    not_before: int | None


class Told(NamedTuple):
    """The newest revision of an alert that a target was or will be told of, or that was dropped for it."""

    revision: int
    severity: Severity
    dropped: bool


def news_of(alert: Alert, told: Told | None) -> News | None:
    """What is new in this revision for a target that knows `told`; None: nothing worth a message."""
    if told is not None and alert.revision <= told.revision:
        return None
    if told is None:
        return "open"
    if rank(alert.severity) > rank(told.severity):
        return "worse"
    return "closed" if alert.state == "closed" and not told.dropped else None


def verdict(config: NotifyConfig, target: str, alert: Alert, news: News, now_ms: int) -> Verdict | None:
    """The word of the most permissive rule that matches; None where none does."""
    best: Verdict | None = None
    for rule in config.rules:
        if target not in rule.to or news not in ("open", *rule.updates) or not matches(rule, alert):
            continue
        found = Verdict(rule.name, _not_before(rule, alert, now_ms))
        if best is None or _order(found) < _order(best):
            best = found
    return best


def matches(rule: Rule, alert: Alert) -> bool:
    """Whether a rule is about such alerts at all, quiet hours and news aside."""
    # a wave covers several streams; a stream id is the channel and the broadcast
    channels = {alert.channel, *(stream.rsplit("/", 1)[0] for stream in alert.channels)}
    return (
        rank(alert.severity) >= rank(rule.severity)
        and fnmatchcase(alert.workspace, rule.workspace)
        and any(fnmatchcase(alert.kind, pattern) for pattern in rule.kinds)
        and any(fnmatchcase(channel, pattern) for channel in channels for pattern in rule.channels)
    )


def rank(severity: Severity) -> int:
    """0 for the mildest."""
    return SEVERITIES.index(severity)


def _not_before(rule: Rule, alert: Alert, now_ms: int) -> int | None:
    quiet = rule.quiet
    if quiet is None or rank(alert.severity) >= rank(quiet.unless):
        return now_ms
    ends = quiet.ends_at(now_ms)
    if ends is None:
        return now_ms
    return ends if quiet.then == "hold" else None


def _order(found: Verdict) -> tuple[bool, int]:
    return found.not_before is None, found.not_before or 0
