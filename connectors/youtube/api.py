"""The Data API over HTTP: videos, channels' newest videos, and live chats by polling.

Source: developers.google.com/youtube/v3/docs and …/v3/live/docs; errors: …/v3/live/docs/errors.
"""

import json
from typing import Any, Final, TypeVar

import httpx
import msgspec

from connectors.core.clock import Clock
from connectors.youtube.credentials import Credentials
from connectors.youtube.errors import Failure, YouTubeError
from connectors.youtube.live_chat import Page
from connectors.youtube.quota import UNITS, Quota

T = TypeVar("T")
_MOST_IDS: Final = 50
_SOCKET_TIMEOUT_S: Final = 60.0
"""The source has its own timeouts, on its own clock; this one only frees the socket in the end."""
_USUAL_WAIT_S: Final = 5.0
_LEAST_WAIT_S: Final = 1.0
_FAILURES: Final[dict[str, Failure]] = {
    "quotaExceeded": "quota",
    "dailyLimitExceeded": "quota",
    "rateLimitExceeded": "rate_limit",
    "userRateLimitExceeded": "rate_limit",
    "liveChatEnded": "chat_over",
    "liveChatDisabled": "chat_over",
    "liveChatNotFound": "not_found",
    "videoNotFound": "not_found",
    "channelNotFound": "not_found",
    "playlistNotFound": "not_found",
    "pageTokenInvalid": "page_lost",
    "invalidPageToken": "page_lost",
    "authError": "credentials",
    "keyInvalid": "credentials",
    "accessNotConfigured": "credentials",
    "insufficientPermissions": "credentials",
    "API_KEY_INVALID": "credentials",
    "SERVICE_DISABLED": "credentials",
}


class Snippet(msgspec.Struct, frozen=True, rename="camel"):
    """Of a video: whose it is."""

    channel_id: str = ""


class Streaming(msgspec.Struct, frozen=True, rename="camel"):
    """Of a broadcast."""

    scheduled_start_time: str = ""
    actual_start_time: str = ""
    actual_end_time: str = ""
    active_live_chat_id: str = ""


class Video(msgspec.Struct, frozen=True, rename="camel"):
    """A video, live or not."""

    id: str
    snippet: Snippet = Snippet()
    live_streaming_details: Streaming = Streaming()


class _Named(msgspec.Struct, frozen=True, rename="camel"):
    id: str


class _Upload(msgspec.Struct, frozen=True, rename="camel"):
    class Details(msgspec.Struct, frozen=True, rename="camel"):
        video_id: str

    content_details: Details


class _Hit(msgspec.Struct, frozen=True, rename="camel"):
    class Id(msgspec.Struct, frozen=True, rename="camel"):
        video_id: str

    id: Id


class DataApi:
    """The calls that listening needs; each takes its units of the quota first, and raises YouTubeError."""

    def __init__(self, url: str, credentials: Credentials, quota: Quota, clock: Clock) -> None:
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._quota = quota
        self._clock = clock
        self._client = httpx.AsyncClient(timeout=_SOCKET_TIMEOUT_S)

    async def videos(self, ids: list[str]) -> list[Video]:
        """The videos that there are of these, at most 50."""
        wanted = ",".join(ids[:_MOST_IDS])
        return await self._items("videos", Video, part="snippet,liveStreamingDetails", id=wanted)

    async def channel_of(self, handle: str) -> str | None:
        """The id of the channel with a handle (`@name`)."""
        found = await self._items("channels", _Named, part="id", forHandle=handle)
        return found[0].id if found else None

    async def newest(self, channel: str) -> list[str]:
        """The ids of a channel's newest videos, broadcasts included.

        A channel's uploads are the playlist with its id, `UC…` written `UU…`.
        """
        playlist = f"UU{channel.removeprefix('UC')}"
        found = await self._items(
            "playlistItems", _Upload, part="contentDetails", playlistId=playlist, maxResults=10
        )
        return [upload.content_details.video_id for upload in found]

    async def search_live(self, channel: str) -> list[str]:
        """The ids of a channel's broadcasts that are live; dear."""
        found = await self._items(
            "search", _Hit, part="id", channelId=channel, eventType="live", type="video"
        )
        return [hit.id.video_id for hit in found]

    async def page(self, chat: str, page: str | None) -> Page:
        """The part of a live chat after that page, or what YouTube still has of it."""
        more = {"pageToken": page} if page else {}
        answer = await self._call(
            "liveChat/messages", liveChatId=chat, part="id,snippet,authorDetails", maxResults=2000, **more
        )
        items, wait_ms = answer.get("items") or [], answer.get("pollingIntervalMillis")
        following = answer.get("nextPageToken")
        if not isinstance(items, list):
            raise YouTubeError("bad_answer", "liveChat/messages: the answer was not the API's")
        wait_s = wait_ms / 1000 if isinstance(wait_ms, int) else _USUAL_WAIT_S
        return Page(
            tuple(msgspec.Raw(json.dumps(item).encode()) for item in items),
            following if isinstance(following, str) else None,
            max(_LEAST_WAIT_S, wait_s),
            bool(answer.get("offlineAt")),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _items(self, method: str, kind: type[T], **parameters: str | int) -> list[T]:
        answer = await self._call(method, **parameters)
        try:
            return msgspec.convert(answer.get("items") or [], type=list[kind])  # type: ignore[valid-type]
        except msgspec.ValidationError:
            raise YouTubeError("bad_answer", f"{method}: the answer was not the API's") from None

    async def _call(self, method: str, **parameters: str | int) -> dict[str, Any]:
        now_ms = self._clock.now_ms()
        if not self._quota.spend(UNITS[method], now_ms):
            raise YouTubeError(
                "quota", f"{self._quota.spent:,} of {self._quota.daily_units:,} units are spent"
            )
        headers = await self._credentials.headers()
        try:
            answer = await self._client.get(f"{self._url}/{method}", params=parameters, headers=headers)
        except httpx.HTTPError as error:
            raise YouTubeError("connection_lost", f"{method}: {type(error).__name__}") from None
        try:
            # the standard library's reader lets a broken letter pass: it spoils one item, not the page
            told = json.loads(answer.content.decode(errors="replace"))
        except (ValueError, RecursionError):
            told = None
        if answer.is_success and isinstance(told, dict):
            return told
        failure = _failure(answer.status_code, told)
        if failure == "quota":
            self._quota.exhaust(now_ms)
        raise YouTubeError(failure, f"{method}: YouTube answered {answer.status_code} ({failure})")


def _failure(status: int, told: Any) -> Failure:
    """The failure by the reasons that an error names, else by its status."""
    for reason in _reasons(told):
        if reason in _FAILURES:
            return _FAILURES[reason]
    if status in (401, 403):
        return "credentials"
    if status == 404:
        return "not_found"
    if status == 429:
        return "rate_limit"
    return "bad_answer" if status < 500 else "connection_lost"


def _reasons(told: Any) -> list[str]:
    error = told.get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        return []
    named = [*_listed(error.get("details")), *_listed(error.get("errors"))]
    return [str(one.get("reason")) for one in named if isinstance(one, dict)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
