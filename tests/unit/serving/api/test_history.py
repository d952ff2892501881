"""What the REST calls answer, from a real store."""

from urllib.parse import quote

import msgspec
import pytest
from starlette.testclient import TestClient

from connectors.clickhouse.routes import ACTIVITY, ALERTS, EVENTS, MESSAGES, SCORED, WINDOWS
from pipelines.core.indices import PRIORS, index_of
from schemas.labels import BASIC, EMOTIONS
from tests.fixtures.api_store import ApiTestStore
from tests.fixtures.store import NOW_MS, TestStore, activity, alert, event, line, scored, window

BASE = NOW_MS // 60_000 * 60_000
STREAM = {"stream_id": "s1"}


@pytest.fixture(scope="module", autouse=True)
def some_records(store: TestStore) -> None:
    lines = [line("api", f"m{n}", sent_at=BASE + n * 1_000, text=f"line {n} Привет") for n in range(10)]
    store.put(MESSAGES, *lines, line("api", "later", sent_at=BASE + 20_000))
    store.put(
        SCORED,
        *(
            scored(
                message,
                toxicity=n / 10,
                abstained=n == 9,
                emotions=dict.fromkeys(EMOTIONS, 0.0) | {"love": n / 10},
            )
            for n, message in enumerate(lines)
        ),
    )
    store.put(MESSAGES, *lines)
    store.put(WINDOWS, *(window("api", BASE + n * 10_000, [0.2, 0.4]) for n in range(6)))
    store.put(WINDOWS, *(window("api", BASE + n * 1_000, [0.5], size_ms=1_000) for n in range(5)))
    store.put(ACTIVITY, *(activity("api", BASE + n * 1_000, n) for n in range(5)))
    store.put(
        ALERTS,
        alert("api", "a1"),
        alert("api", "wave", kind="attack.wave", stream_id="s9", channels=("s9", "s1")),
    )
    over = alert("api", "a2", 3, state="closed", ended_at=NOW_MS, started_at=NOW_MS - 60_000)
    store.put(ALERTS, msgspec.structs.replace(over, recovered=True, recovery_s=41.5))
    store.put(EVENTS, event("api", "e1"))


def ids(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [row["message_id"] for row in answer["messages"]]


def messages(api: TestClient, **params: object) -> list[str]:
    return ids(api.get("/api/v1/api/messages", params={**STREAM, **params}).json())


def test_a_playbook_comes_in_the_chosen_language(api: TestClient) -> None:
    play = api.get("/api/v1/api/playbooks/attack.raid", params={"severity": "high", "lang": "ru"}).json()
    assert play["steps"][0].startswith("Включите режим щита")
    kept = {"type": "followers_only", "min_follow_s": 600}
    assert play["actions"][1] == kept | {"label": "Только для фолловеров со стажем 10 мин"}
    assert api.get("/api/v1/api/playbooks/nothing").status_code == 422
    assert api.get("/api/v1/api/playbooks/hype", params={"severity": "huge"}).status_code == 422


def test_streams_tell_the_last_minute_at_a_glance(api: TestClient) -> None:
    (stream,) = api.get("/api/v1/api/streams").json()["streams"]
    assert (stream["channel"], stream["platform"], stream["title"]) == ("twitch:someone", "twitch", "someone")
    assert stream["first_at"] == BASE
    assert stream["last_at"] == BASE + 20_000
    assert stream["messages"] == 20  # 10 in the first ten seconds by activity, 2 in each other by windows
    assert stream["coverage"] == 1
    assert stream["sentiment"]["low"] < stream["sentiment"]["mean"] < stream["sentiment"]["high"]
    assert stream["top_emotions"][0]["mean"] == pytest.approx(0.3)
    assert (stream["open_alerts"], stream["worst_severity"]) == (2, "high")
    assert len(stream["spark"]) == 60
    assert stream["spark"][-3:] == [10, 2, 2]
    assert stream["rate_per_s"] > 0


def test_lines_that_the_platform_took_back_are_not_answered(api: TestClient, store: TestStore) -> None:
    store.put(MESSAGES, line("taken", "m1", text="secret"), line("taken", "m2", sent_at=NOW_MS - 9))
    store.put(EVENTS, event("taken", "d1", kind="deletion", target_message_id="m1"))
    answer = api.get("/api/v1/taken/messages", params=STREAM)
    assert ids(answer.json()) == ["m2"]
    asked = {"query": "SELECT text FROM messages WHERE workspace = 'taken'", "format": "csv"}
    assert "secret" not in api.post("/api/v1/sql", json=asked).text


def test_sources_tell_their_state_and_what_they_missed(api: TestClient, store: TestStore) -> None:
    degraded = {"kind": "source_state", "state": "degraded", "cause": "no PONG", "span_from": None}
    store.put(EVENTS, event("stands", "s1", **degraded), event("stands", "g1"))
    (source,) = api.get("/api/v1/stands/sources").json()["sources"]
    assert source == {
        "channel": "twitch:someone",
        "platform": "twitch",
        "state": "degraded",
        "reason": "no PONG",
        "since": NOW_MS,
        "gaps_24h": 1,
        "missed_s_24h": 5,
        "recovered_24h": 0,
        "last_gap_at": NOW_MS,
    }
    assert api.get("/api/v1/nobody/sources").json() == {"sources": []}


def test_streams_not_heard_of_lately_can_be_left_out(api: TestClient, store: TestStore) -> None:
    store.put(
        MESSAGES, line("lately", "m1", received_at=NOW_MS - 7_200_000), line("lately", "m2", stream_id="s2")
    )
    answer = api.get("/api/v1/lately/streams", params={"active_within_s": 3_600}).json()
    assert [stream["stream_id"] for stream in answer["streams"]] == ["s2"]


def test_a_stream_without_scores_has_activity_and_no_mood(api: TestClient, store: TestStore) -> None:
    at = NOW_MS - NOW_MS % 10_000
    store.put(MESSAGES, line("model-down", "m1", sent_at=at + 29_000))
    store.put(ACTIVITY, *(activity("model-down", at + n * 1_000, 10) for n in range(30)))
    (stream,) = api.get("/api/v1/model-down/streams").json()["streams"]
    assert stream["spark"][-3:] == [100, 100, 100]
    assert stream["coverage"] == 0
    assert stream["sentiment"] is None


def test_windows_are_the_indices_of_the_core(api: TestClient) -> None:
    answer = api.get("/api/v1/api/windows", params={**STREAM, "from": BASE, "to": BASE + 60_000}).json()
    assert [point["start_ms"] for point in answer["points"]] == [BASE + n * 10_000 for n in range(6)]
    expected = index_of("sentiment", 6_000, 2_000**2 + 4_000**2, 2, PRIORS["sentiment"])
    assert expected is not None
    point = answer["points"][0]
    assert point["sentiment"] == pytest.approx(
        {"mean": expected.mean, "low": expected.low, "high": expected.high}, abs=5e-5
    )
    assert set(point["basic"]) == set(BASIC)
    assert point["emotions"]["joy"] == pytest.approx(0.3)
    assert point["authors"] == 2


def test_longer_steps_are_sums_of_windows_without_authors(api: TestClient) -> None:
    answer = api.get("/api/v1/api/windows", params={**STREAM, "step_ms": 60_000}).json()
    (point,) = answer["points"]
    assert (point["start_ms"], point["messages"], point["authors"]) == (BASE, 12, None)
    assert point["emotions"]["joy"] == pytest.approx(0.3)


def test_steps_of_seconds_come_from_the_short_windows(api: TestClient) -> None:
    answer = api.get("/api/v1/api/windows", params={**STREAM, "step_ms": 1_000, "from": BASE + 1_500}).json()
    assert [point["start_ms"] for point in answer["points"]] == [BASE + n * 1_000 for n in range(1, 5)]


@pytest.mark.parametrize("step", [0, 999, 1_500, -1_000])
def test_other_steps_are_refused(api: TestClient, step: int) -> None:
    assert api.get("/api/v1/api/windows", params={**STREAM, "step_ms": step}).status_code == 422


def test_activity_by_the_second(api: TestClient) -> None:
    answer = api.get(
        "/api/v1/api/activity", params={**STREAM, "from": BASE + 1_000, "to": BASE + 4_000}
    ).json()
    assert [(point["second_ms"], point["messages"]) for point in answer["points"]] == [
        (BASE + n * 1_000, n) for n in (1, 2, 3)
    ]


def test_messages_come_newest_first_and_once(api: TestClient) -> None:
    answer = api.get("/api/v1/api/messages", params=STREAM).json()
    assert ids(answer) == ["later", *(f"m{n}" for n in range(9, -1, -1))]
    assert answer["next_cursor"] is None
    newest, ninth = answer["messages"][:2]
    assert (newest["scored"], newest["toxicity"], newest["emotions"]) == (False, None, [])
    assert ninth["scored"] is True
    assert ninth["toxicity"] == pytest.approx(0.9)
    assert ninth["emotions"][0] == {"label": "love", "mean": 0.9}
    assert len(ninth["emotions"]) == 3


def test_pages_hold_each_line_once(api: TestClient) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        answer = api.get("/api/v1/api/messages", params={**STREAM, "limit": 4, "cursor": cursor or ""}).json()
        seen += ids(answer)
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 11


def test_filters(api: TestClient) -> None:
    assert messages(api, min_toxicity=0.75) == ["m9", "m8"]
    assert messages(api, q="ПРИВЕТ", **{"from": BASE + 8_000}) == ["m9", "m8"]
    assert messages(api, **{"from": BASE + 2_000, "to": BASE + 4_000}) == ["m3", "m2"]
    assert messages(api, emotion="love", limit=2) == ["m8", "m7"]  # m9 abstained
    assert messages(api, emotion="joy", limit=1) == ["m8"]  # by the basic labels
    assert messages(api, emotion="grief") == []
    assert api.get("/api/v1/api/messages", params={**STREAM, "emotion": "bliss"}).status_code == 422


def test_alerts_of_a_stream_include_the_waves_that_cover_it(api: TestClient) -> None:
    answer = api.get("/api/v1/api/alerts", params=STREAM).json()
    assert {row["alert_id"] for row in answer["alerts"]} == {"a1", "a2", "wave"}
    newest = next(row for row in answer["alerts"] if row["alert_id"] == "a1")
    assert newest["why"] == {"summary": "40 accounts repeat one text", "share": 0.8}
    assert (newest["started_at"], newest["ended_at"], newest["evidence"]) == (NOW_MS, None, ["m1"])
    closed = api.get("/api/v1/api/alerts", params={"state": "closed"}).json()["alerts"]
    assert [row["alert_id"] for row in closed] == ["a2"]
    assert (closed[0]["recovered"], closed[0]["recovery_s"]) == (True, 41.5)
    assert (newest["recovered"], newest["recovery_s"]) == (None, None)
    assert (
        api.get("/api/v1/api/alerts", params={"kind": "attack.wave"}).json()["alerts"][0]["stream_id"] == "s9"
    )


def test_events(api: TestClient) -> None:
    (row,) = api.get("/api/v1/api/events", params=STREAM).json()["events"]
    assert (row["kind"], row["span_from"], row["span_to"]) == ("gap", NOW_MS - 5_000, NOW_MS)


def test_workspaces_do_not_see_each_other(api: TestClient) -> None:
    assert api.get("/api/v1/other/streams").json() == {"streams": []}
    assert api.get("/api/v1/other/messages", params=STREAM).json()["messages"] == []
    assert api.get("/api/v1/other/windows", params=STREAM).json()["points"] == []
    assert api.get("/api/v1/other/alerts").json() == {"alerts": []}


HOSTILE = [
    "' OR 1=1 --",
    "s1' OR ''='",
    "\\' OR 1=1 --",
    "{workspace:String}",
    "s1\x00",
    "%",
    "'; DROP TABLE chat_lines; --",
    "$(id)",
    "☃" * 100,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_values_are_never_read_as_sql(api: TestClient, text: str) -> None:
    assert api.get("/api/v1/api/messages", params={"stream_id": text}).json()["messages"] == []
    assert api.get("/api/v1/api/windows", params={"stream_id": text}).json()["points"] == []
    assert api.get("/api/v1/api/activity", params={"stream_id": text}).json()["points"] == []
    assert api.get("/api/v1/api/alerts", params={"stream_id": text}).json()["alerts"] == []
    assert api.get("/api/v1/api/events", params={"kind": text[:32]}).json()["events"] == []
    assert messages(api, q=text) == []
    assert api.get("/api/v1/api/messages", params={**STREAM, "cursor": text}).status_code == 422
    assert api.get(f"/api/v1/{quote(text, safe='')}/streams").status_code in (404, 422)
    assert len(messages(api)) == 11


def test_a_cursor_made_by_hand_is_refused(api: TestClient) -> None:
    import base64

    for made in ("1.1) OR (1=1", "x.1", "1", "1." + "9" * 60):
        cursor = base64.urlsafe_b64encode(made.encode()).decode()
        assert api.get("/api/v1/api/messages", params={**STREAM, "cursor": cursor}).status_code == 422


def test_sql_reads_and_refuses(api: TestClient) -> None:
    query = "SELECT count() AS n FROM messages WHERE workspace = 'api'"
    assert api.post("/api/v1/sql", json={"query": query}).text == '{"n":11}\n'
    assert api.post("/api/v1/sql", json={"query": query, "format": "csv"}).text == '"n"\n11\n'
    refused = api.post("/api/v1/sql", json={"query": "DROP TABLE chat_lines"})
    assert refused.status_code == 400
    assert "SELECT" in refused.json()["detail"]
    assert api.post("/api/v1/sql", json={"query": ""}).status_code == 422
    assert api.post("/api/v1/sql", json={"query": "SELECT 1", "format": "xml"}).status_code == 422


def test_health_says_what_is_behind(api: TestClient, api_store: ApiTestStore) -> None:
    assert api.get("/api/v1/health").json()["status"] == "ok"
    api_store.lags = {"chat.messages.v1": 90_000}
    answer = api.get("/api/v1/health").json()
    assert (answer["status"], answer["lag"]) == ("degraded", {"chat.messages.v1": 90_000})
    assert "90,000" in answer["detail"]
    api_store.lags, api_store.is_stalled = {}, True
    assert "writes" in api.get("/api/v1/health").json()["detail"]


def test_a_store_that_is_down_is_said_so(api: TestClient, api_store: ApiTestStore) -> None:
    api_store.fail = True
    answer = api.get("/api/v1/api/streams")
    assert answer.status_code == 503
    assert "down for a test" in answer.json()["detail"]
    assert api.get("/healthz").status_code == 200


def test_the_description_names_every_call(api: TestClient) -> None:
    paths = set(api.get("/openapi.json").json()["paths"])
    named = {
        f"/api/v1/{{workspace}}/{name}" for name in ("streams", "windows", "activity", "messages", "alerts")
    }
    assert named | {"/api/v1/{workspace}/events", "/api/v1/health", "/api/v1/sql", "/metrics"} <= paths
