# ruff: noqa: S608  (SQL of our own constants; variables are quoted by Grafana)
"""Grafana-managed alert rules for label ops, contact points and notification policies.

The rules look at the alert episodes that `detect` raised: Grafana decides whom to tell, not what an attack
is.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from grafana_foundation_sdk.builders import alerting as build
from grafana_foundation_sdk.builders import expr
from grafana_foundation_sdk.models.alerting import RelativeTimeRange
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from dashboards.grafana.frame import STREAM
from dashboards.grafana.language import Say
from dashboards.grafana.plain import plain
from dashboards.grafana.query import CLICKHOUSE, Query

GROUP: Final = "pulse-live"
RECEIVER: Final = "pulse-ops"
URGENT: Final = "pulse-urgent"
LOOK_BACK_S: Final = 3_600

_EXPRESSION: Final = "__expr__"


@dataclass(frozen=True)
class Condition:
    """One rule: rows with the labels workspace, channel, stream and kind, and one number to compare."""

    uid: str
    title: str
    summary: str
    sql: str
    compare: Literal["gt", "lt"]
    threshold: float
    lasts: str
    severity: str
    runbook: str


def conditions(say: Say) -> tuple[Condition, ...]:
    """All rules, in the language of `say`."""

    def open_alerts(kinds: str) -> str:
        return (
            "SELECT workspace, channel, stream_id AS stream, kind, toFloat64(count()) AS value FROM alerts"
            f" WHERE kind IN ({kinds}) AND state != 'closed' AND $__timeFilter(detected_at)"
            " GROUP BY workspace, channel, stream, kind"
        )

    return (
        Condition(
            "pulse-attack",
            say("Attack on a chat", "Атака на чат"),
            say(
                "{{ $labels.kind }} on {{ $labels.channel }} is under way.",
                "{{ $labels.kind }} на {{ $labels.channel }} идёт сейчас.",
            ),
            open_alerts("'attack.raid', 'attack.wave'"),
            "gt",
            0,
            "0s",
            "critical",
            "attack-raid",
        ),
        Condition(
            "pulse-flood",
            say("Flood or link spam", "Флуд или спам ссылками"),
            say(
                "{{ $labels.kind }} on {{ $labels.channel }}.", "{{ $labels.kind }} на {{ $labels.channel }}."
            ),
            open_alerts("'flood.account', 'spam.links'"),
            "gt",
            0,
            "0s",
            "warning",
            "flood-account",
        ),
        Condition(
            "pulse-mood",
            say("Mood turned", "Настроение изменилось"),
            say(
                "{{ $labels.kind }} on {{ $labels.channel }}.", "{{ $labels.kind }} на {{ $labels.channel }}."
            ),
            open_alerts("'mood.negative', 'mood.toxic', 'mood.shift'"),
            "gt",
            0,
            "30s",
            "warning",
            "mood",
        ),
        Condition(
            "pulse-blind",
            say("Blind on a stream", "Эфир не слышен"),
            say(
                "Nothing heard of {{ $labels.channel }}: calm cannot be told from blind.",
                "С {{ $labels.channel }} ничего не слышно: спокойствие неотличимо от слепоты.",
            ),
            "SELECT workspace, toString(streams.channel) AS channel, stream_id AS stream, 'blind' AS kind,"
            " toFloat64(dateDiff('second', last_seen_at, now())) AS value FROM streams"
            " WHERE NOT ended AND $__timeFilter(last_seen_at)",
            "gt",
            60,
            "0s",
            "critical",
            "blind",
        ),
        Condition(
            "pulse-coverage",
            say("Too few lines scored", "Оценено слишком мало строк"),
            say(
                "Less than 90 % of the lines of {{ $labels.channel }} are scored: moods rest on a sample.",
                "Оценено меньше 90 % строк {{ $labels.channel }}: настроение построено по части строк.",
            ),
            "SELECT workspace, channel, stream_id AS stream, 'coverage' AS kind,"
            " sum(scored + abstained) / sum(messages) AS value FROM windows"
            " WHERE size_ms = 10000 AND window_start >= now() - INTERVAL 5 MINUTE AND"
            " $__timeFilter(window_start)"
            " GROUP BY workspace, channel, stream HAVING sum(messages) > 0",
            "lt",
            0.9,
            "2m",
            "warning",
            "blind",
        ),
    )


def rule(condition: Condition, folder_uid: str) -> build.Rule:
    """A rule in the form of the provisioning API: the query A, the threshold B on it."""
    threshold = (
        expr.TypeThreshold()
        .ref_id("B")
        .expression("A")
        .datasource(DataSourceRef(type_val=_EXPRESSION, uid=_EXPRESSION))
        .conditions(
            [
                expr.ExprTypeThresholdConditions().evaluator(
                    expr.ExprTypeThresholdConditionsEvaluator()
                    .type(condition.compare)
                    .params([condition.threshold])
                )
            ]
        )
    )
    span = RelativeTimeRange(from_val=LOOK_BACK_S, to=0)
    return (
        build.Rule(condition.title)
        .uid(condition.uid)
        .folder_uid(folder_uid)
        .rule_group(GROUP)
        .condition("B")
        .for_val(condition.lasts)
        .no_data_state("OK")
        .exec_err_state("Error")
        .labels({"severity": condition.severity, "service": "pulse"})
        .annotations(
            {
                "summary": condition.summary,
                "runbook": f"infra/runbooks/{condition.runbook}.md",
                "__dashboardUid__": STREAM,
                "__panelId__": "1",
            }
        )
        .queries(
            [
                build.Query("A")
                .datasource_uid(str(CLICKHOUSE.uid))
                .relative_time_range(span)
                .model(Query(condition.sql)),
                build.Query("B").datasource_uid(_EXPRESSION).relative_time_range(span).model(threshold),
            ]
        )
    )


def alerting_files(say: Say) -> dict[str, dict[str, Any]]:
    """Content of Grafana's alerting provisioning files by name; rules, contact points, policies."""
    rules = []
    for condition in conditions(say):
        built = rule(condition, "pulse").build().to_json()
        rules.append({key: built[key] for key in built if key not in {"folderUID", "ruleGroup", "orgID"}})
    group = {"orgId": 1, "name": GROUP, "folder": "Pulse", "interval": "30s", "rules": _escaped(plain(rules))}
    return {
        "rules": {"apiVersion": 1, "groups": [group]},
        "contact-points": {
            "apiVersion": 1,
            "contactPoints": [
                _webhook(RECEIVER, "$PULSE_ALERT_WEBHOOK"),
                _webhook(URGENT, "$PULSE_URGENT_WEBHOOK"),
            ],
        },
        "policies": {
            "apiVersion": 1,
            "policies": [
                {
                    "orgId": 1,
                    "receiver": RECEIVER,
                    "group_by": ["grafana_folder", "alertname", "channel"],
                    "group_wait": "10s",
                    "group_interval": "1m",
                    "repeat_interval": "4h",
                    "routes": [
                        {
                            "receiver": URGENT,
                            "object_matchers": [["severity", "=", "critical"], ["service", "=", "pulse"]],
                            "group_wait": "0s",
                            "repeat_interval": "1h",
                        }
                    ],
                }
            ],
        },
    }


def _webhook(name: str, url: str) -> dict[str, Any]:
    receiver = {"uid": name, "type": "webhook", "settings": {"url": url, "httpMethod": "POST"}}
    return {"orgId": 1, "name": name, "receivers": [receiver]}


def _escaped(value: Any) -> Any:
    """`$` doubled in every text: Grafana replaces `$NAME` in provisioning files by its environment."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return value
