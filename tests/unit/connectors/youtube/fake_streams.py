"""A gRPC server on loopback that speaks streamList, and misbehaves when told to."""

import asyncio
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.json_format import ParseDict

from connectors.youtube.stream_list_pb2 import LiveChatMessageListRequest, LiveChatMessageListResponse

_SERVICE = "youtube.api.v3.V3DataLiveChatMessageService"


class FakeStreams:
    """Each stream gives all after its page token, then what is said. `refusals` go before: one a call."""

    def __init__(self, token: tuple[str, str]) -> None:
        self.refusals: list[grpc.StatusCode | tuple[grpc.StatusCode, str]] = []
        self.calls: list[LiveChatMessageListRequest] = []
        self.offline = False
        self.address = ""
        self._token = token
        self._items: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._ended = 0
        self._server: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = grpc.aio.server()
        handler = grpc.unary_stream_rpc_method_handler(
            self._stream,
            request_deserializer=LiveChatMessageListRequest.FromString,
            response_serializer=LiveChatMessageListResponse.SerializeToString,
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, {"StreamList": handler}),)
        )
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        await self._server.stop(None)

    async def say(self, *items: dict[str, Any]) -> None:
        self._items.extend(_worded(item) for item in items)
        async with self._changed:
            self._changed.notify_all()

    async def end_streams(self) -> None:
        """End the streams that are open, as YouTube does from time to time."""
        self._ended += 1
        async with self._changed:
            self._changed.notify_all()

    async def _stream(self, request: LiveChatMessageListRequest, context: grpc.aio.ServicerContext) -> None:
        self.calls.append(request)
        if self._token not in context.invocation_metadata():
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you, alice?")
        if self.refusals:
            refusal = self.refusals.pop(0)
            code, details = refusal if isinstance(refusal, tuple) else (refusal, "said alice")
            await context.abort(code, details)
        at, ended = int(request.page_token or 0), self._ended
        first = True
        while ended == self._ended:
            if first or self.offline or at < len(self._items):
                answer = LiveChatMessageListResponse(next_page_token=str(len(self._items)))
                if self.offline:
                    answer.offline_at = "2026-01-01T01:00:00Z"
                for item in self._items[at:]:
                    ParseDict(item, answer.items.add(), ignore_unknown_fields=True)
                at, first = len(self._items), False
                await context.write(answer)
                if self.offline:
                    return
            async with self._changed:
                while not (ended != self._ended or self.offline or at < len(self._items)):
                    await self._changed.wait()


def _worded(item: dict[str, Any]) -> dict[str, Any]:
    """An item of the Data API as the protocol buffers name its type."""
    kind = "".join(f"_{letter}" if letter.isupper() else letter for letter in item["snippet"]["type"]).upper()
    snippet = {**item["snippet"], "type": kind}
    if ban := snippet.get("userBannedDetails"):
        snippet["userBannedDetails"] = {**ban, "banType": ban["banType"].upper()}
    return {**item, "snippet": snippet}
