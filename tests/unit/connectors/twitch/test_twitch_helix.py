import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.core.testing import ManualClock
from connectors.twitch.credentials import CredentialsError, UserToken, app_token, user_token
from connectors.twitch.helix import Helix, HelixError
from connectors.twitch.settings import TwitchSettings
from tests.unit.connectors.twitch.fake_helix import FakeHelix


@pytest.fixture
def fake() -> Iterator[FakeHelix]:
    with FakeHelix() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


class Client(Helix):
    """With the parts at hand that tests look at."""

    def __init__(self, fake: FakeHelix, http: httpx.AsyncClient, **settings: Any) -> None:
        self.clock = ManualClock()
        self.credentials: UserToken = user_token(TwitchSettings(**({"token": "t0"} | settings)))
        super().__init__(self.credentials, http, self.clock, **fake.settings)


async def test_it_looks_channels_and_viewers_up(fake: FakeHelix, http: httpx.AsyncClient) -> None:
    fake.streams["room"] = "s1"
    helix = Client(fake, http)
    assert (await helix.identity()).login == "moderator"
    assert {name: user.id for name, user in (await helix.users(["Room", "nobody"])).items()} == {
        "room": "100"
    }
    live = (await helix.streams(["room", "other"]))["room"]
    assert (live.id, live.viewer_count) == ("s1", 78_365)


async def test_more_names_than_a_page_are_asked_for_in_pages(
    fake: FakeHelix, http: httpx.AsyncClient
) -> None:
    fake.users = {f"user{n}": str(n) for n in range(250)}
    assert len(await Client(fake, http).users(list(fake.users))) == 250
    assert [len(asked.params["login"]) for asked in fake.asked] == [100, 100, 50]


async def test_an_expired_token_is_renewed_once_for_all_that_wait(
    fake: FakeHelix, http: httpx.AsyncClient
) -> None:
    helix = Client(fake, http, refresh_token="r0")
    await helix.identity()
    fake.tokens = set()
    found = await asyncio.gather(*(helix.users(["room"]) for _ in range(5)))
    assert all("room" in users for users in found)
    assert helix.credentials.token == "t1"


async def test_a_token_that_cannot_be_renewed_says_what_to_do(
    fake: FakeHelix, http: httpx.AsyncClient
) -> None:
    for settings in ({}, {"refresh_token": "s3cret2", "client_id": "c"}):
        helix = Client(fake, http, token="s3cret1", **settings)
        with pytest.raises(CredentialsError) as caught:
            await helix.users(["room"])
        assert "token" in str(caught.value)
        assert "s3cret" not in str(caught.value)


async def test_renewed_tokens_go_back_to_the_file(
    fake: FakeHelix, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = tmp_path / "twitch.json"
    path.write_text(json.dumps({"access_token": "old", "refresh_token": "r0", "client_id": "client"}))
    path.chmod(0o600)
    await Client(fake, http, token_file=path).users(["room"])
    assert json.loads(path.read_text()) == {
        "access_token": "t1",
        "refresh_token": "r1",
        "client_id": "client",
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_token_file_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twitch.json"
    path.write_text('{"access_token": "s3cret"}')
    path.chmod(0o644)
    with pytest.raises(CredentialsError, match="chmod 600"):
        user_token(TwitchSettings(token_file=path))
    path.chmod(0o600)
    path.write_text('{"access_token": 7, "s3cret": 1}')
    with pytest.raises(CredentialsError) as caught:
        user_token(TwitchSettings(token_file=path))
    assert "access_token" in str(caught.value) and "s3cret" not in str(caught.value)
    with pytest.raises(CredentialsError, match="No such file"):
        user_token(TwitchSettings(token_file=tmp_path / "none"))
    with pytest.raises(CredentialsError, match="PULSE_TWITCH_TOKEN"):
        user_token(TwitchSettings())


async def test_a_rate_limit_is_waited_for_on_the_clock(fake: FakeHelix, http: httpx.AsyncClient) -> None:
    helix = Client(fake, http)
    reset = helix.clock.now_ms() // 1000 + 20
    empty = {"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": str(reset)}
    fake.script.append((429, {"status": 429, "message": "Too Many Requests"}, empty))
    assert await helix.users(["room"])
    assert helix.clock.now_ms() == reset * 1000
    fake.script.append((200, {"data": []}, empty | {"Ratelimit-Reset": str(reset + 9)}))
    await helix.users(["room"])
    assert helix.clock.now_ms() == reset * 1000  # the answer was there already
    await helix.users(["room"])
    assert helix.clock.now_ms() == (reset + 9) * 1000


async def test_too_many_subscriptions_are_no_rate_limit(fake: FakeHelix, http: httpx.AsyncClient) -> None:
    fake.script.append((429, {"status": 429, "message": "limit"}, {"Ratelimit-Remaining": "700"}))
    with pytest.raises(HelixError) as caught:
        await Client(fake, http).subscribe("stream.online", "1", {}, {})
    assert caught.value.status == 429
    assert len(fake.asked) == 1


async def test_only_requests_that_change_nothing_are_sent_again(
    fake: FakeHelix, http: httpx.AsyncClient
) -> None:
    helix = Client(fake, http)
    fake.script.extend([(503, None, {}), (500, None, {})])
    assert await helix.users(["room"])
    fake.script.append((503, None, {}))
    with pytest.raises(HelixError, match="503"):
        await helix.request("POST", "/chat/announcements", body={})
    assert [asked.method for asked in fake.asked] == ["GET"] * 3 + ["POST"]


@pytest.mark.parametrize("body", [None, {}, {"data": 7}, {"data": [{"login": "room"}]}])
async def test_an_answer_that_is_none_is_an_error(
    fake: FakeHelix, http: httpx.AsyncClient, body: Any
) -> None:
    fake.script.append((200, body, {}))
    with pytest.raises(HelixError):
        await Client(fake, http).users(["room"])


async def test_a_server_that_does_not_answer_is_an_error(fake: FakeHelix, http: httpx.AsyncClient) -> None:
    helix = Client(fake, http)
    await helix.identity()
    helix._api_url = "http://127.0.0.1:9"
    with pytest.raises(HelixError) as caught:
        await helix.users(["room"])
    assert caught.value.status == 0


async def test_an_application_gets_its_own_token(fake: FakeHelix, http: httpx.AsyncClient) -> None:
    settings = TwitchSettings(client_id="client", client_secret="secret")
    helix = Helix(app_token(settings), http, ManualClock(), **fake.settings)
    conduit = await helix.create_conduit(2)
    await helix.assign_shard(conduit.id, 1, "session")
    assert fake.conduits == {"conduit0": {"0": "", "1": "session"}}
    fake.tokens = set()
    assert [found.shard_count for found in await helix.conduits()] == [2]
    assert fake.app_tokens == 2
