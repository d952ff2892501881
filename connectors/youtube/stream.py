"""A live chat pushed by YouTube: liveChatMessages.streamList over gRPC.

Source: developers.google.com/youtube/v3/live/docs/liveChatMessages/streamList. One call costs as much as one
poll and lasts as long as the server lets it.
"""

import re
from collections.abc import AsyncGenerator
from typing import Any, Final

import grpc
import msgspec
from google.protobuf.json_format import MessageToDict

from connectors.core.clock import Clock
from connectors.youtube import stream_list_pb2
from connectors.youtube.credentials import Credentials
from connectors.youtube.errors import Failure, YouTubeError
from connectors.youtube.live_chat import Page
from connectors.youtube.quota import UNITS, Quota

_wire: Any = stream_list_pb2  # its classes are made when it is imported
KEEPALIVE_S: Final = 20.0
KEEPALIVE_TIMEOUT_S: Final = 10.0
_METHOD: Final = "/youtube.api.v3.V3DataLiveChatMessageService/StreamList"
_PARTS: Final = ("id", "snippet", "authorDetails")
_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", round(KEEPALIVE_S * 1000)),
    ("grpc.keepalive_timeout_ms", round(KEEPALIVE_TIMEOUT_S * 1000)),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.enable_retries", 0),  # the source tries again, and counts what that costs
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
)
_FAILURES: Final[dict[grpc.StatusCode, Failure]] = {
    grpc.StatusCode.UNAUTHENTICATED: "credentials",
    grpc.StatusCode.PERMISSION_DENIED: "credentials",
    grpc.StatusCode.FAILED_PRECONDITION: "chat_over",
    grpc.StatusCode.NOT_FOUND: "not_found",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "rate_limit",
    grpc.StatusCode.INVALID_ARGUMENT: "page_lost",
    grpc.StatusCode.UNIMPLEMENTED: "no_stream",
}
_UNDERSCORED: Final = re.compile(r"_([a-z])")


class ChatStreams:
    """Opens streams of live chats over one connection."""

    def __init__(self, address: str, credentials: Credentials, quota: Quota, clock: Clock) -> None:
        """Prepare; nothing is connected yet.

        Args:
            address: `host:port`; of loopback without TLS.
            credentials: as for the Data API.
            quota: what a call takes its units from.
            clock: tells the quota's day.
        """
        self._credentials = credentials
        self._quota = quota
        self._clock = clock
        plain = address.startswith(("127.0.0.1:", "localhost:", "[::1]:"))
        self._channel = (
            grpc.aio.insecure_channel(address, _OPTIONS)
            if plain
            else grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(), _OPTIONS)
        )
        self._call = self._channel.unary_stream(
            _METHOD,
            request_serializer=_wire.LiveChatMessageListRequest.SerializeToString,
            response_deserializer=_wire.LiveChatMessageListResponse.FromString,
        )

    async def pages(self, chat: str, page: str | None) -> AsyncGenerator[Page, None]:
        """What is said in a chat after that page, as it is said; ends where the server ends the stream.

        Raises:
            YouTubeError: the stream cannot be opened, or broke.
        """
        now_ms = self._clock.now_ms()
        if not self._quota.spend(UNITS["liveChat/messages"], now_ms):
            raise self._quota_spent()
        request = _wire.LiveChatMessageListRequest(live_chat_id=chat, page_token=page, part=_PARTS)
        metadata = tuple((await self._credentials.headers()).items())
        try:
            async for answer in self._call(request, metadata=metadata):
                yield _page(answer)
        except grpc.aio.AioRpcError as error:
            failure = _FAILURES.get(error.code(), "connection_lost")
            if failure == "rate_limit" and "quota" in (error.details() or "").lower():
                self._quota.exhaust(now_ms)
                raise self._quota_spent() from None
            if failure == "page_lost" and page is None:
                failure = "bad_answer"
            raise YouTubeError(failure, f"streamList: {error.code().name} ({failure})") from None

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    def _quota_spent(self) -> YouTubeError:
        return YouTubeError("quota", f"{self._quota.spent:,} of {self._quota.daily_units:,} units are spent")


def _page(answer: Any) -> Page:
    items = [_item(item) for item in answer.items]
    ended = any(item["snippet"]["type"] == "chatEndedEvent" for item in items)
    return Page(
        tuple(msgspec.Raw(msgspec.json.encode(item)) for item in items),
        answer.next_page_token or None,
        0.0,
        bool(answer.offline_at) or ended,
    )


def _item(message: Any) -> dict[str, Any]:
    """The item as the Data API words it; a type that is not known yet is `unknown`."""
    item: dict[str, Any] = MessageToDict(message)
    kind = item.setdefault("snippet", {}).get("type", "UNKNOWN")
    item["snippet"]["type"] = _UNDERSCORED.sub(lambda found: found[1].upper(), kind.lower())
    return item
