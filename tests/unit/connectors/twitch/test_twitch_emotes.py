import itertools
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.core.testing import ManualClock
from connectors.twitch.emote_store import EmoteStore
from connectors.twitch.emotes import EmoteCatalogue
from connectors.twitch.irc import emotes_of, parse_irc
from connectors.twitch.normalise import ChannelNormaliser
from schemas.records import ChatMessage, Emote
from schemas.retention import load_retention
from tests.unit.connectors.running import until
from tests.unit.connectors.twitch.conftest import PSEUDONYMS, HeldClock, Start
from tests.unit.connectors.twitch.fake_helix import FakeHelix
from tests.unit.connectors.twitch.fake_twitch import FakeTwitch
from tests.unit.connectors.twitch.frames import AT, privmsg

URLS = {"bttv": "https://bttv.test", "ffz": "https://ffz.test", "7tv": "https://7tv.test"}
ANSWERS: dict[str, Any] = {
    "https://bttv.test/cached/emotes/global": [{"id": "1", "code": "catJAM"}],
    "https://bttv.test/cached/users/twitch/1": {"channelEmotes": [{"code": "hi"}], "sharedEmotes": []},
    "https://ffz.test/set/global": {"default_sets": [3], "sets": {"3": {"emoticons": [{"name": "LilZ"}]}}},
    "https://ffz.test/room/id/1": {"room": {}, "sets": {"9": {"emoticons": [{"name": "catJAM"}]}}},
    "https://7tv.test/emote-sets/global": {"emotes": [{"id": "1", "name": "EZ"}]},
    "https://7tv.test/users/twitch/1": {"emote_set": {"emotes": [{"name": "مرحبا"}]}},
}
ALL = {"catJAM": "bttv", "hi": "bttv", "LilZ": "ffz", "EZ": "7tv", "مرحبا": "7tv"}

WORDS = ("Kappa", "EZ", "EZ,", "ez", "مرحبا", "👩‍👩‍👧", "hi", "\u200dEZ", "x")


class Providers:
    """Answers as the providers do, and counts."""

    def __init__(self) -> None:
        self.answers = dict(ANSWERS)
        self.asked: list[str] = []
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        answer = self.answers.get(str(request.url))
        if isinstance(answer, int):
            return httpx.Response(answer)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(404) if answer is None else httpx.Response(200, json=answer)


def names(catalogue: EmoteCatalogue) -> dict[str, str]:
    return {name: found.provider for name in ALL for found in catalogue.found_in(name, ())}


def store(providers: Providers, folder: Path, clock: ManualClock) -> EmoteStore:
    return EmoteStore(folder, providers.http, clock, urls=URLS, ttl_s=60)  # type: ignore[arg-type]


async def test_catalogues_are_fetched_once_in_their_time(tmp_path: Path) -> None:
    providers, clock = Providers(), ManualClock()
    catalogue, missing = await store(providers, tmp_path, clock).of("1")
    assert (names(catalogue), missing) == (ALL, {})
    assert sorted(providers.asked) == sorted(ANSWERS)
    clock.advance(59)
    catalogue, _ = await store(providers, tmp_path, clock).of("1")  # also after a restart
    assert (names(catalogue), len(providers.asked)) == (ALL, 6)
    providers.answers["https://bttv.test/cached/users/twitch/1"] = {"channelEmotes": [], "sharedEmotes": []}
    clock.advance(2)
    catalogue, _ = await store(providers, tmp_path, clock).of("1")
    assert "hi" not in names(catalogue)


async def test_a_channel_that_a_provider_does_not_know_has_no_emotes_there(tmp_path: Path) -> None:
    catalogue, missing = await store(Providers(), tmp_path, ManualClock()).of("2")
    assert (names(catalogue), missing) == ({"catJAM": "bttv", "LilZ": "ffz", "EZ": "7tv"}, {})


@pytest.mark.parametrize(
    "wrong",
    [503, {}, [], {"emotes": [7]}, {"sets": []}, "text", httpx.ConnectError("refused"), {"data": None}],
)
async def test_what_is_on_disk_counts_while_a_provider_fails(tmp_path: Path, wrong: Any) -> None:
    providers, clock = Providers(), ManualClock()
    await store(providers, tmp_path, clock).of("1")
    providers.answers["https://ffz.test/set/global"] = wrong
    clock.advance(61)
    catalogue, missing = await store(providers, tmp_path, clock).of("1")
    assert names(catalogue) == ALL
    assert list(missing) == ["ffz"]


async def test_a_broken_file_is_fetched_anew(tmp_path: Path) -> None:
    providers, clock = Providers(), ManualClock()
    await store(providers, tmp_path, clock).of("1")
    for path in tmp_path.rglob("*.json"):
        path.write_text('{"fetched_at": "x"')
    catalogue, missing = await store(providers, tmp_path, clock).of("1")
    assert (names(catalogue), missing) == (ALL, {})


@given(
    st.lists(
        st.sampled_from(["Kappa", "EZ", "EZ,", "ez", "مرحبا", "👩‍👩‍👧", "hi", "\u200dEZ", "x"]), max_size=12
    ),
    st.sampled_from([" ", "  ", "\u3000", "\t"]),
)
def test_places_are_words_in_code_points(words: list[str], space: str) -> None:
    text = space.join(words)
    at, told = 0, []
    for word in words:
        if word == "Kappa":
            told.append(f"{at}-{at + 4}")
        at += len(word) + len(space)
    known = emotes_of(f"25:{','.join(told)}" if told else "", text)
    found = EmoteCatalogue(ALL | {"Kappa": "bttv"}).found_in(text, known)
    assert [emote.name for emote in found] == [word for word in words if word in ALL or word == "Kappa"]
    assert all(text[emote.start : emote.end] == emote.name for emote in found)
    assert [emote.provider for emote in found if emote.name == "Kappa"] == ["twitch"] * len(known)
    places = [(emote.start or 0, emote.end or 0) for emote in found]
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(places))


def test_places_hold_in_the_text_without_names() -> None:
    channel = ChannelNormaliser("room", "twitch:room/x", PSEUDONYMS, load_retention())
    channel.catalogue = EmoteCatalogue({"alice": "7tv", "EZ": "7tv"})
    line = privmsg("@Bob 👩‍👩‍👧 EZ alice", more="emotes=")
    (message,) = channel.records(parse_irc(line), AT)
    assert isinstance(message, ChatMessage)
    text = f"{PSEUDONYMS.mention('bob')} 👩‍👩‍👧 EZ alice"  # an emote's name is nobody's
    assert message.text == text
    assert message.emotes == (
        Emote("EZ", "7tv", text.index("EZ"), text.index("EZ") + 2),
        Emote("alice", "7tv", len(text) - 5, len(text)),
    )


async def test_the_live_source_learns_a_channels_emotes(
    start: Start, clock: HeldClock, tmp_path: Path
) -> None:
    with FakeHelix() as server:
        for address, answer in ANSWERS.items():
            provider, _, path = address.removeprefix("https://").partition(".test")
            server.public[f"/{provider}{path}"] = answer
        urls = {provider: f"{server.url}/{provider}" for provider in URLS}
        settings = {"emote_urls": urls, "emote_cache": tmp_path}
        async with FakeTwitch() as irc, start(irc.url, settings=settings) as running:
            await until(lambda: list(tmp_path.rglob("1.json")))
            await until(lambda: len(list(tmp_path.rglob("*.json"))) == 6)
            await clock.advance(1)
            await irc.last.say(privmsg("EZ catJAM"))
            await until(lambda: running.texts)
    (message,) = [r for r in running.records if isinstance(r, ChatMessage) and r.kind == "message"]
    assert [(emote.name, emote.provider) for emote in message.emotes] == [("EZ", "7tv"), ("catJAM", "bttv")]


async def test_providers_that_are_down_are_told_and_stop_nothing(start: Start, tmp_path: Path) -> None:
    settings = {"emote_urls": {"bttv": "http://127.0.0.1:9"}, "emote_cache": tmp_path}
    async with FakeTwitch() as irc, start(irc.url, settings=settings) as running:
        await until(lambda: "without new emotes of bttv" in running.source.states.get("room", ("", ""))[1])
        assert running.source.states["room"][0] == "live"
        await irc.last.say(privmsg("EZ"))
        await until(lambda: running.texts == ["EZ"])
