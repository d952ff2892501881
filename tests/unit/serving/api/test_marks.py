"""Marks of alerts from a real store."""

import json

import pytest
from starlette.testclient import TestClient

from connectors.clickhouse.routes import ALERTS
from serving.api.marks import Marks
from serving.api.models import MarkRequest
from tests.fixtures.api_store import ApiTestStore
from tests.fixtures.store import NOW_MS, TestStore, alert

DAY_MS = 86_400_000
DAY = NOW_MS // DAY_MS * DAY_MS


@pytest.fixture(scope="module", autouse=True)
def some_alerts(store: TestStore) -> None:
    for workspace in ("marks", "precision", "labels"):
        store.put(
            ALERTS,
            *(alert(workspace, f"a{n}", started_at=DAY, detected_at=DAY + 2_000) for n in range(4)),
            alert(workspace, "old", kind="hype", started_at=DAY - DAY_MS, detected_at=DAY - DAY_MS),
        )


def mark(api: TestClient, workspace: str, alert_id: str, **body: object) -> int:
    return api.post(f"/api/v1/{workspace}/alerts/{alert_id}/marks", json=body).status_code


def test_marks_are_kept_newest_first(api: TestClient) -> None:
    assert mark(api, "marks", "a0", verdict="wrong", note="шутка своих") == 201
    assert mark(api, "marks", "a0", verdict="right") == 201
    kept = api.get("/api/v1/marks/alerts/a0/marks").json()["marks"]
    assert [(row["verdict"], row["note"]) for row in kept] == [("right", ""), ("wrong", "шутка своих")]
    assert api.get("/api/v1/marks/alerts/a1/marks").json() == {"marks": []}


def test_bad_marks_are_refused(api: TestClient) -> None:
    assert mark(api, "marks", "nobody", verdict="right") == 404
    assert mark(api, "marks", "a0", verdict="great") == 422
    assert mark(api, "marks", "a0", verdict="right", mute_for_s=60) == 422
    assert mark(api, "marks", "a0", verdict="muted", mute_for_s=-1) == 422
    assert mark(api, "marks", "a0", verdict="right", note="x" * 1_001) == 422


def test_a_hostile_note_is_only_text(api: TestClient) -> None:
    note = "'); DROP TABLE alert_marks; -- {verdict:String} \\ \t\n"
    assert mark(api, "marks", "a2", verdict="wrong", note=note) == 201
    (kept,) = api.get("/api/v1/marks/alerts/a2/marks").json()["marks"]
    assert kept["note"] == note


def test_the_newest_mark_of_an_alert_counts_for_precision(api: TestClient) -> None:
    for alert_id, verdict in (("a0", "wrong"), ("a1", "right"), ("a2", "right"), ("old", "wrong")):
        assert mark(api, "precision", alert_id, verdict=verdict) == 201
    assert mark(api, "precision", "a0", verdict="right") == 201
    assert mark(api, "precision", "a1", verdict="muted") == 201
    before, today = api.get("/api/v1/precision/marks/precision").json()["points"]
    assert (before["start_ms"], before["right"], before["wrong"]) == (DAY - DAY_MS, 0, 1)
    assert (today["start_ms"], today["right"], today["wrong"], today["precision"]) == (DAY, 3, 0, 1.0)
    # Wilson 1927: 3 of 3 is 0.44 to 1 at 95 %
    assert (round(today["low"], 2), today["high"]) == (0.44, 1.0)
    hype = api.get("/api/v1/precision/marks/precision", params={"kind": "hype"}).json()["points"]
    assert [point["wrong"] for point in hype] == [1]
    later = api.get("/api/v1/precision/marks/precision", params={"from": DAY}).json()["points"]
    assert [point["start_ms"] for point in later] == [DAY]


def test_a_mute_holds_for_its_time_and_can_be_ended(api_store: ApiTestStore) -> None:
    now = NOW_MS
    marks = Marks(api_store, lambda: now)
    assert marks.add("marks", "a3", MarkRequest(verdict="muted", mute_for_s=60)) is not None
    (mute,) = marks.mutes("marks")
    assert (mute.channel, mute.kind, mute.until) == ("twitch:someone", "attack.raid", NOW_MS + 60_000)
    now = NOW_MS + 60_000
    assert marks.mutes("marks") == []
    marks.add("marks", "a3", MarkRequest(verdict="muted"))
    assert [mute.until for mute in marks.mutes("marks")] == [now + 3_600_000]
    now += 1_000
    marks.add("marks", "a3", MarkRequest(verdict="muted", mute_for_s=0))
    assert marks.mutes("marks") == []


def test_marks_are_training_labels(api: TestClient, store: TestStore) -> None:
    for alert_id, verdict in (("a0", "right"), ("a1", "wrong"), ("a2", "muted")):
        assert mark(api, "labels", alert_id, verdict=verdict) == 201
    sql = "SELECT alert_id, label, why FROM alert_labels WHERE workspace = 'labels' ORDER BY alert_id"
    rows = [json.loads(line) for line in store.reader.foreign(sql, "json").splitlines()]
    assert [(row["alert_id"], row["label"]) for row in rows] == [("a0", 1), ("a1", 0)]
    assert json.loads(rows[0]["why"])["share"] == 0.8
