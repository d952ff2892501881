"""From a video or a channel to the live chat of its broadcast."""

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from connectors.core.clock import Clock
from connectors.youtube.api import DataApi, Video
from connectors.youtube.errors import YouTubeError
from connectors.youtube.live_chat import time_ms
from connectors.youtube.settings import YouTubeSettings

_VIDEO: Final = re.compile(r"[\w-]{11}", re.ASCII)
_CHANNEL: Final = re.compile(r"UC[\w-]{22}", re.ASCII)
_HANDLE: Final = re.compile(r"@[\w.·-]{3,30}")
_HOSTS: Final = ("youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be")


class Broadcast(NamedTuple):
    """A broadcast with a chat."""

    video: str
    channel: str
    chat: str
    began_ms: int | None
    """None where it has not begun."""


def is_channel(target: str) -> bool:
    """Whether a target is a channel, which has one broadcast after the other."""
    return target.startswith("@") or _CHANNEL.fullmatch(target) is not None


def target_name(text: str) -> str:
    """A video's or channel's address, id or handle to the one name by which it is known.

    Raises:
        ValueError: it is neither; the message says what may stand there.
    """
    target = text.strip()
    if "/" in target:
        parts = urlsplit(target if "://" in target else f"https://{target}")
        path = [part for part in parts.path.split("/") if part]
        if parts.hostname in _HOSTS and (path or parts.query):
            target = parse_qs(parts.query).get("v", path[-1:])[0]
            if len(path) > 1 and path[-1] in ("live", "streams"):
                target = path[-2]
    if _HANDLE.fullmatch(target):
        return target.lower()
    if _CHANNEL.fullmatch(target) or _VIDEO.fullmatch(target):
        return target
    raise ValueError(
        f"`{text}` is neither a video (its address or 11 letters) nor a channel (@handle or UC…)"
    )


class Finder:
    """Looks for a target's broadcast; remembers what need not be asked twice."""

    def __init__(self, api: DataApi, target: str, settings: YouTubeSettings, clock: Clock) -> None:
        self._api = api
        self._target = target
        self._settings = settings
        self._clock = clock
        self._channel = "" if target.startswith("@") else target
        self._search_at_s = float("-inf")

    async def look(self) -> Broadcast | None:
        """The broadcast that is live now, of a channel the newest; None where there is none yet.

        Raises:
            YouTubeError: `not_found` where there is no such video or channel, or the video's chat is over.
        """
        if not is_channel(self._target):
            return await self._of_video()
        if not self._channel:
            self._channel = await self._api.channel_of(self._target) or ""
            if not self._channel:
                raise YouTubeError("not_found", f"there is no channel {self._target}")
        try:
            videos = await self._api.newest(self._channel)
        except YouTubeError as error:
            if error.failure != "not_found":  # a channel without a single video
                raise
            videos = []
        found = await self._live_of(videos)
        now_s = self._clock.monotonic()
        if found is None and now_s >= self._search_at_s:
            self._search_at_s = now_s + self._settings.search_every_s
            found = await self._live_of(await self._api.search_live(self._channel))
        return found

    async def _of_video(self) -> Broadcast | None:
        videos = await self._api.videos([self._target])
        if not videos:
            raise YouTubeError("not_found", "there is no such video, or it is private")
        video = videos[0]
        times = video.live_streaming_details
        expected = times.scheduled_start_time and not times.actual_end_time
        if not times.active_live_chat_id and not expected:
            raise YouTubeError("not_found", "the video has no live chat: it is over, or never was live")
        return _broadcast(video)

    async def _live_of(self, ids: list[str]) -> Broadcast | None:
        videos = await self._api.videos(ids) if ids else []
        live = [video for video in videos if video.live_streaming_details.actual_start_time]
        return next((found for video in live if (found := _broadcast(video))), None)


def _broadcast(video: Video) -> Broadcast | None:
    streaming = video.live_streaming_details
    if not streaming.active_live_chat_id or not video.snippet.channel_id:
        return None
    began_ms = time_ms(streaming.actual_start_time)
    return Broadcast(video.id, video.snippet.channel_id, streaming.active_live_chat_id, began_ms)
