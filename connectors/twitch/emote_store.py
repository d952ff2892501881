"""The emote catalogues of channels, fetched from their providers and kept on disk."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

import httpx

from connectors.core.clock import Clock
from connectors.core.source import SourceError
from connectors.twitch.emote_providers import ENDPOINTS, Provider, Public
from connectors.twitch.emotes import EmoteCatalogue
from connectors.twitch.helix import Helix, HelixError

_EVERYWHERE: Final = "global"
_NO_ANSWER: Final = (httpx.HTTPError, httpx.InvalidURL, HelixError, SourceError)
_PUBLIC: Final[tuple[Public, ...]] = ("7tv", "ffz", "bttv")
"""Where two providers have an emote of the same name, the later one shows it."""


class Answer(NamedTuple):
    """A channel's emotes, and which providers could not be asked, and why."""

    catalogue: EmoteCatalogue
    missing: dict[str, str]


class EmoteStore:
    """Fetches catalogues at most once in `ttl_s`; between, and while a provider is down, the disk's count.

    The files hold names of emotes, nothing of any person.
    """

    def __init__(
        self,
        folder: Path,
        http: httpx.AsyncClient,
        clock: Clock,
        *,
        urls: Mapping[Public, str],
        ttl_s: float,
        helix: Helix | None = None,
    ) -> None:
        """Prepare; nothing is fetched yet.

        Args:
            folder: of the files.
            http: for requests; the caller closes it.
            clock: tells how old a file is.
            urls: of each provider that is asked, without a slash at the end.
            ttl_s: how long a file counts as new.
            helix: asks Twitch; without it Twitch's emotes are those that come with each line.
        """
        self._folder = folder
        self._http = http
        self._clock = clock
        self._urls = urls
        self._ttl_ms = round(ttl_s * 1000)
        self._helix = helix
        self._turn = asyncio.Lock()

    async def of(self, number: str) -> Answer:
        """The emotes that work in the channel of that (Twitch's) number."""
        names: dict[str, str] = {}
        missing: dict[str, str] = {}
        asked: list[Provider] = [provider for provider in _PUBLIC if provider in self._urls]
        for provider in [*asked, "twitch"] if self._helix else asked:
            for where in (_EVERYWHERE, number):
                async with self._turn:  # many channels begin at once: one asks for what is everybody's
                    found, problem = await self._names(provider, where)
                names |= dict.fromkeys(found, provider)
                if problem:
                    missing[provider] = problem
        return Answer(EmoteCatalogue(names), missing)

    async def _names(self, provider: Provider, where: str) -> tuple[list[str], str]:
        """The names, and why they are old or missing."""
        path = self._folder / provider / f"{quote(where, safe='')}.json"
        fetched_at, names = _read(path)
        if 0 <= self._clock.now_ms() - fetched_at < self._ttl_ms:
            return names, ""
        try:
            names = await self._fetch(provider, where)
            _write(path, self._clock.now_ms(), names)
        except (*_NO_ANSWER, ValueError, KeyError, TypeError, AttributeError) as error:
            return names, f"{type(error).__name__}: {error}"
        except OSError as error:
            return names, f"{path}: {error.strerror}"
        return names, ""

    async def _fetch(self, provider: Provider, where: str) -> list[str]:
        endpoint = ENDPOINTS[provider]
        path = endpoint.everywhere if where == _EVERYWHERE else endpoint.channel.format(quote(where, safe=""))
        if provider == "twitch":
            if self._helix is None:
                return []
            route, _, query = path.partition("?")
            key, _, value = query.partition("=")
            answer = await self._helix.request("GET", route, [(key, value)] if key else [])
            return endpoint.names(answer.json())
        answer = await self._http.get(self._urls[provider] + path, follow_redirects=True)
        if answer.status_code == 404 and where != _EVERYWHERE:
            return []
        answer.raise_for_status()
        return endpoint.names(answer.json())


def _read(path: Path) -> tuple[int, list[str]]:
    """When the file was fetched (ms) and the names in it; never and none where it cannot be read."""
    try:
        content = json.loads(path.read_bytes())
        return int(content["fetched_at"]), [str(name) for name in content["names"]]
    except (OSError, ValueError, KeyError, TypeError):
        return -1, []


def _write(path: Path, fetched_at: int, names: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({"fetched_at": fetched_at, "names": names}), encoding="utf-8")
    draft.replace(path)
