"""The list of channels over HTTP."""

from collections.abc import Iterator, Sequence

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from connectors.hub.book import ChannelBook
from infra.local.channel_list import KafkaChannelList
from serving.api.app import create_app
from tests.unit.connectors.hub.fakes import NOW, MemoryJournal, Topics

TOKEN = "the-token-of-this-test"


@pytest.fixture
def topics() -> Topics:
    return Topics()


@pytest.fixture
def api(topics: Topics) -> Iterator[TestClient]:
    listed = KafkaChannelList(ChannelBook(MemoryJournal(topics), lambda: NOW))
    app = create_app(None, TOKEN, registry=CollectorRegistry(), channels=listed)  # type: ignore[arg-type]
    with TestClient(app, base_url="http://127.0.0.1:18080") as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


def names(api: TestClient, workspace: str = "default") -> Sequence[str]:
    rows = api.get(f"/api/v1/{workspace}/channels").json()["channels"]
    return [row["channel"] for row in rows]


def test_a_channel_is_put_on_the_list_and_taken_off(api: TestClient, topics: Topics) -> None:
    added = api.put("/api/v1/default/channels/twitch:SomeChannel")
    assert (added.status_code, added.json()) == (200, {"channel": "twitch:somechannel"})
    assert api.put("/api/v1/default/channels/twitch:somechannel").status_code == 200
    (row,) = api.get("/api/v1/default/channels").json()["channels"]
    assert (row["added_by"], row["added_at"], row["state"]) == ("api", NOW, None)
    assert names(api, "other") == []
    assert api.delete("/api/v1/default/channels/twitch:somechannel").status_code == 204
    assert names(api) == []


@pytest.mark.parametrize(
    ("address", "status"), [("twitch:bad name", 422), ("mars:x", 422), ("nothing", 422), ("twitch:", 422)]
)
def test_what_cannot_be_a_channel_is_refused(api: TestClient, address: str, status: int) -> None:
    assert api.put(f"/api/v1/default/channels/{address}").status_code == status


def test_a_channel_that_is_not_there_is_not_found(api: TestClient) -> None:
    assert api.delete("/api/v1/default/channels/twitch:room").status_code == 404


def test_without_kafka_it_says_so(api: TestClient, topics: Topics) -> None:
    topics.down = True
    assert api.get("/api/v1/default/channels").status_code == 503
    assert api.put("/api/v1/default/channels/twitch:room").status_code == 503


def test_it_is_not_for_strangers_or_other_sites(api: TestClient) -> None:
    other = {"Origin": "https://elsewhere.example"}
    assert api.put("/api/v1/default/channels/twitch:room", headers=other).status_code == 403
    del api.headers["Authorization"]
    assert api.put("/api/v1/default/channels/twitch:room").status_code == 401
