"""The SQL of every panel, variable, annotation and rule on a store filled by a replay: rows and shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.clickhouse.client import connect
from dashboards.grafana.alerting import conditions
from dashboards.grafana.language import speaker
from dashboards.grafana.macros import ALL, Asked
from dashboards.grafana.queries import board_queries
from tests.fixtures.store import TestStore
from tests.unit.dashboards.replayed import NOW_MS, WORKSPACE, fill

NUMBERS = ("Int", "UInt", "Float", "Decimal")


@dataclass
class Answer:
    """Columns with their types, and the rows."""

    columns: dict[str, str]
    rows: list[tuple[Any, ...]]

    def of_kind(self, *kinds: str) -> list[str]:
        return [name for name, kind in self.columns.items() if bare(kind).startswith(kinds)]


@dataclass
class World:
    """The filled store and a way to ask as Grafana does."""

    store: TestStore
    asked: Asked

    def ask(self, sql: str) -> Answer:
        client = connect(self.store.address, settings={"readonly": 1})
        try:
            result = client.query(self.asked.expand(sql))
        finally:
            client.close()
        types = dict(zip(result.column_names, (kind.name for kind in result.column_types), strict=True))
        assert not [kind for kind in types.values() if "AggregateFunction" in kind], (
            "Grafana shows no such type"
        )
        return Answer(types, [tuple(row) for row in result.result_rows])


def bare(kind: str) -> str:
    for wrapper in ("Nullable(", "LowCardinality("):
        kind = kind.removeprefix(wrapper)
    for wrapper in ("Nullable(", "LowCardinality("):
        kind = kind.removeprefix(wrapper)
    return kind


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with TestStore.open(tmp_path_factory.mktemp("store")) as store:
        scored = fill(store)
        raided = store.one("SELECT stream_id FROM alerts WHERE kind = 'attack.raid' LIMIT 1")
        first = scored[0]
        variables = {
            "workspace": WORKSPACE,
            "platform": ALL,
            "channel": ["replay:nobody's", *sorted({line.channel for line in scored})],
            "broadcast": [first.stream_id],
            "min_toxicity": "0",
            "search": "",
        }
        asked = Asked(min(line.sent_at for line in scored) - 1_000, NOW_MS + 1_000, variables=variables)
        assert raided
        yield World(store, asked)


def panels() -> list[Any]:
    return [
        pytest.param(query.panel, query.sql, id=f"{query.board}/{query.use}")
        for query in board_queries()
        if query.panel
    ]


def other_queries() -> list[Any]:
    return [
        pytest.param(query.use, query.sql, id=f"{query.board}/{query.use}")
        for query in board_queries()
        if not query.panel
    ]


@pytest.mark.parametrize(("panel", "sql"), panels())
def test_a_panel_gets_rows_of_its_shape(world: World, panel: dict[str, Any], sql: str) -> None:
    answer = world.ask(sql)
    assert answer.rows, "no rows"
    kind = panel["type"]
    if kind in ("timeseries", "statetimeline", "state-timeline"):
        times = answer.of_kind("DateTime")
        numbers = answer.of_kind(*NUMBERS)
        assert next(iter(answer.columns)) == times[0] == "time"
        assert len(times) == 1
        assert numbers
        at = [row[0] for row in answer.rows]
        assert at == sorted(at)
        labels = answer.of_kind("String")
        if labels:
            assert len(numbers) == 1, "a long frame has one number"
            assert panel["fieldConfig"]["defaults"]["displayName"] == f"${{__field.labels.{labels[0]}}}"
    elif kind == "stat":
        assert len(answer.rows) == 1
        assert list(answer.columns) == answer.of_kind(*NUMBERS)
        assert answer.rows[0][0] is not None
    elif kind == "bargauge":
        assert len(answer.of_kind(*NUMBERS)) == 1
        assert len(answer.of_kind("String")) == 1
    else:
        assert kind == "table"
        named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
        assert {column for column in answer.columns if column not in ("from_ms", "to_ms")} <= named


@pytest.mark.parametrize(("use", "sql"), other_queries())
def test_annotations_and_variables_answer(world: World, use: str, sql: str) -> None:
    answer = world.ask(sql)
    assert answer.rows
    if use == "annotation":
        assert {"time", "timeEnd", "text", "tags"} <= set(answer.columns)
        assert len(answer.of_kind("DateTime")) == 2
    else:
        assert len(answer.columns) == 1


@pytest.mark.parametrize("condition", conditions(speaker("en")), ids=lambda condition: condition.uid)
def test_a_rule_gives_labels_and_one_number(world: World, condition: Any) -> None:
    answer = world.ask(condition.sql)
    assert len(answer.of_kind(*NUMBERS)) == 1
    assert {"workspace", "channel", "stream", "kind"} == set(answer.of_kind("String"))
