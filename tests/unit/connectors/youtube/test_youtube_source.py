import json
import logging
from pathlib import Path

import pytest

from connectors.core.live import Unheard
from connectors.core.source import SourceError
from connectors.core.testing import HeldClock
from connectors.youtube.credentials import OAuthToken
from connectors.youtube.quota import Quota
from tests.unit.connectors.fake_http import Answer, Asked, Broken
from tests.unit.connectors.running import passing, until
from tests.unit.connectors.youtube.conftest import SEALER, Start
from tests.unit.connectors.youtube.fake_youtube import KEY, FakeYouTube, error
from tests.unit.connectors.youtube.items import AT, CHANNEL, DELETED, VIDEO, text

LIVE = ("live", None)


def on_air() -> FakeYouTube:
    server = FakeYouTube()
    server.go_live(VIDEO)
    return server


async def test_a_videos_chat_is_heard_page_by_page(start: Start, clock: HeldClock) -> None:
    async with on_air() as server, start(server) as running:
        server.say(text("before we came"))
        await until(lambda: LIVE in running.states)
        server.say(text("one", number=2), DELETED)
        await clock.advance(4.9)
        assert running.texts == ["before we came"]
        await clock.advance(0.2)
        await until(lambda: "one" in running.texts)
        await until(lambda: running.events("deletion"))
    assert server.pages == [None, "page-1"]
    streams = {r.stream_id for r in running.records if getattr(r, "text", "")}
    assert streams == {f"youtube:{CHANNEL}/{VIDEO}"}
    assert [up.at for up in running.events("stream_up")] == [AT - 60_000]
    assert server.asked == ["videos", "liveChat/messages", "liveChat/messages"]


async def test_the_servers_interval_is_kept(start: Start, clock: HeldClock) -> None:
    async with on_air() as server, start(server) as running:
        server.interval_ms = 12_000
        await until(lambda: LIVE in running.states)
        await clock.advance(11.9)
        assert len(server.pages) == 1
        server.interval_ms = "soon"
        await clock.advance(0.2)
        await until(lambda: len(server.pages) == 2)
        await passing(clock, lambda: len(server.pages) == 3)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Broken(b""), "connection_lost"),
        (Broken(b"HTTP/1.1 200 OK\r\nContent-Le"), "connection_lost"),
        (Broken(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"items":[{"id'), "connection_lost"),
        (Broken(b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n<html>alice</html>"), "bad_answer"),
        ((200, {"items": {"alice": 1}}), "bad_answer"),
        ((503, {"error": {"code": 503, "errors": [{"reason": "backendError"}]}}), "connection_lost"),
        (error(403, "rateLimitExceeded", "too quick, alice"), "rate_limit"),
        ((429, {}), "rate_limit"),
        ((400, {"error": "alice"}), "bad_answer"),
    ],
)
async def test_a_failed_poll_is_a_gap_whose_lines_come_in_later(
    start: Start,
    clock: HeldClock,
    caplog: pytest.LogCaptureFixture,
    fault: tuple[int, dict[str, object]] | Broken,
    cause: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with on_air() as server, start(server) as running:
        await until(lambda: LIVE in running.states)
        server.script = [fault]
        await clock.advance(5.1)
        await until(lambda: running.states[-1][0] == "degraded")
        server.say(text("said meanwhile"))
        await clock.advance(1.0)
        await until(lambda: running.states[-1] == LIVE)
    assert running.texts == ["said meanwhile"]
    (gap,) = running.events("gap")
    assert (gap.cause, gap.recovered) == (cause, 1)
    assert "alice" not in caplog.text and KEY not in caplog.text
    assert all("alice" not in (reason or "") for _, reason in running.states)


async def test_a_silent_server_is_given_up(start: Start, clock: HeldClock) -> None:
    async with on_air() as server, start(server) as running:
        await until(lambda: LIVE in running.states)
        server.script = ["stall"]
        await clock.advance(5.1)
        await until(lambda: len(server.pages) == 2)
        await clock.advance(15.0)
        await until(lambda: running.states[-1][0] == "degraded")
        await clock.advance(1.0)
        await until(lambda: running.states[-1] == LIVE)
    assert [gap.cause for gap in running.events("gap")] == ["stalled"]


async def test_a_lost_page_is_asked_for_from_the_beginning(start: Start, clock: HeldClock) -> None:
    async with on_air() as server, start(server) as running:
        server.say(text("one"))
        await until(lambda: LIVE in running.states)
        server.say(text("two", number=2))
        server.script = [error(400, "pageTokenInvalid", "bad token")]
        await clock.advance(5.1)
        await until(lambda: "two" in running.texts)
    assert running.texts == ["one", "two"]
    assert server.pages == [None, "page-1", None]


async def test_it_stops_before_the_days_limit_says_so_and_goes_on_at_midnight(
    start: Start, clock: HeldClock, tmp_path: Path
) -> None:
    quota = Quota(13, tmp_path / "quota.json")  # one look at the video, two pages
    async with on_air() as server, start(server, quota=quota) as running:
        await until(lambda: LIVE in running.states)
        await passing(clock, lambda: running.states[-1][0] == "blocked")
        assert running.states[-1][1] == "the day's quota is used up: 11 of 13 units are spent"
        server.say(text("meanwhile"))
        midnight_s = (quota.more_at_ms(clock.now_ms()) - clock.now_ms()) / 1000
        await clock.advance(midnight_s - 1)
        assert len(server.pages) == 2
        await clock.advance(2)
        await until(lambda: running.states[-1] == LIVE)
    assert running.texts == ["meanwhile"]
    (gap,) = running.events("gap")
    assert (gap.cause, gap.recovered) == ("quota", 1)
    assert json.loads((tmp_path / "quota.json").read_text()) == {"day": "2026-01-01", "spent": 5}


async def test_the_servers_word_on_the_quota_counts(start: Start, clock: HeldClock) -> None:
    quota = Quota(10_000)
    async with on_air() as server, start(server, quota=quota) as running:
        await until(lambda: LIVE in running.states)
        server.script = [error(403, "quotaExceeded", "exceeded your quota")]
        await clock.advance(5.1)
        await until(lambda: running.states[-1][0] == "blocked")
        assert quota.spent == 10_000
        await clock.advance(60.0)
        assert len(server.pages) == 2


async def test_a_channel_goes_from_broadcast_to_broadcast(start: Start, clock: HeldClock) -> None:
    async with FakeYouTube() as server:
        server.handles["@label"] = CHANNEL
        server.uploads[CHANNEL] = []
        async with start(server, "@label") as running:
            await until(lambda: running.states and running.states[-1][0] == "offline")
            assert server.asked == ["channels", "playlistItems", "search"]
            server.go_live(VIDEO)
            server.say(text("first"))
            await clock.advance(61)
            await until(lambda: running.texts == ["first"])
            server.end(VIDEO)
            await clock.advance(6)
            await until(lambda: running.states[-1] == ("offline", "the broadcast is over"))
            server.go_live("bcdefghijkl", chat="chat-2")
            server.say(text("second", number=2), chat="chat-2")
            await clock.advance(61)
            await until(lambda: running.texts == ["first", "second"])
    assert server.asked.count("search") == 1
    streams = [r.stream_id for r in running.records if getattr(r, "text", "")]
    assert streams == [f"youtube:{CHANNEL}/{VIDEO}", f"youtube:{CHANNEL}/bcdefghijkl"]
    assert [down.stream_id for down in running.events("stream_down")] == streams[:1]
    assert [beat.stream_id for beat in running.heartbeats if beat.closing] == streams[:1]


async def test_a_broadcast_that_is_not_among_the_newest_is_searched_for(start: Start) -> None:
    async with on_air() as server:
        server.uploads[CHANNEL] = []
        server.found_by_search[CHANNEL] = [VIDEO]
        server.say(text("found"))
        async with start(server, CHANNEL) as running:
            await until(lambda: running.texts == ["found"])


async def test_a_video_without_a_chat_is_offline(start: Start, clock: HeldClock) -> None:
    async with on_air() as server:
        server.end(VIDEO)
        async with start(server, VIDEO, "zzzzzzzzzzz") as running:
            await until(lambda: len([s for s in running.source.states.values() if s[0] == "offline"]) == 2)
            asked = len(server.asked)
            await clock.advance(600)
            assert len(server.asked) == asked  # a video that is over costs nothing more
            assert running.error is None


async def test_a_refused_key_ends_it(start: Start) -> None:
    async with on_air() as server:
        server.tokens = set()
        async with start(server) as running:
            await until(lambda: running.error)
    assert isinstance(running.error, SourceError)
    assert "check PULSE_YOUTUBE_API_KEY" in str(running.error)
    assert KEY not in str(running.error)


async def test_targets_come_and_go(start: Start, clock: HeldClock) -> None:
    async with on_air() as server, start(server) as running:
        await until(lambda: LIVE in running.states)
        server.go_live("bcdefghijkl", channel="UC" + "y" * 22, chat="chat-2")
        server.say(text("other", number=2), chat="chat-2")
        running.source.follow("bcdefghijkl", unheard=Unheard(AT, "process_lost"))
        await until(lambda: running.texts == ["other"])
        await running.source.unfollow("bcdefghijkl")
        server.say(text("unheard", number=3), chat="chat-2")
        server.say(text("heard", number=4))
        await clock.advance(6)
        await until(lambda: "heard" in running.texts)
    assert running.texts == ["other", "heard"]
    assert [(gap.cause, gap.span_from) for gap in running.events("gap")] == [("process_lost", AT)]


async def test_what_cannot_be_read_is_a_dead_letter_and_hides_nothing(start: Start) -> None:
    async with on_air() as server:
        server.say(text("x") | {"id": 5, "said": "by alice"})
        server.say(text("half a letter \ud83d", number=2))
        server.say(text("rtl \u202eمرحبا 🙂👩‍👩‍👧 " + "x" * 500_000, number=3), text("last", number=4))
        async with start(server) as running:
            await until(lambda: "last" in running.texts)
    assert len(running.texts) == 2
    assert [letter.error_class for letter in running.dead_letters] == ["wrong_type", "not_json"]
    assert b"alice" not in running.dead_letters[0].raw
    assert b"alice" in SEALER.open(running.dead_letters[0].raw)


async def test_a_quiet_chat_has_heartbeats(start: Start, clock: HeldClock) -> None:
    async with on_air() as server, start(server) as running:
        await until(lambda: LIVE in running.states)
        for _ in range(60):
            await clock.advance(1.0)
    assert len(running.heartbeats) >= 3
    ends = [beat.span_to for beat in running.heartbeats]
    assert ends == sorted(ends)


def token(folder: Path, server: FakeYouTube) -> OAuthToken:
    path = folder / "token.json"
    path.write_text(json.dumps({"client_id": "c", "client_secret": "s", "refresh_token": "r"}))
    return OAuthToken(path, f"{server.url}/token")


async def test_an_oauth_token_is_refreshed(start: Start, tmp_path: Path) -> None:
    refreshed: list[bytes] = []

    async def refresh(asked: Asked) -> Answer:
        refreshed.append(asked.body)
        return 200, json.dumps({"access_token": "fresh", "expires_in": 3600, "token_type": "Bearer"}).encode()

    async with on_air() as server:
        server.refresh = refresh  # type: ignore[method-assign]
        server.tokens = {"Bearer fresh"}
        server.say(text("one"))
        async with start(server, credentials=token(tmp_path, server)) as running:
            await until(lambda: running.texts == ["one"])
    assert len(refreshed) == 1 and b"refresh_token=r" in refreshed[0]


async def test_a_refresh_token_that_google_refuses_ends_it(start: Start, tmp_path: Path) -> None:
    async def refuse(asked: Asked) -> Answer:
        return 400, json.dumps({"error": "invalid_grant", "error_description": "revoked"}).encode()

    async with on_air() as server:
        server.refresh = refuse  # type: ignore[method-assign]
        async with start(server, credentials=token(tmp_path, server)) as running:
            await until(lambda: running.error)
    assert "log in anew" in str(running.error)


def test_a_token_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        OAuthToken(tmp_path / "none.json", "")
    (tmp_path / "bad.json").write_text('{"client_id": "c"}')
    with pytest.raises(ValueError, match="not the file of an authorized user"):
        OAuthToken(tmp_path / "bad.json", "")
