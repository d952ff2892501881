"""The live source: chats of broadcasts and of channels, as records for Kafka."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from connectors.core.clock import Clock, within
from connectors.core.live import LiveFeed, OnState, State, Unheard
from connectors.core.pacing import Backoff
from connectors.core.pseudonyms import Pseudonyms
from connectors.core.sealing import Sealer
from connectors.core.source import Batch
from connectors.youtube.api import DataApi
from connectors.youtube.broadcasts import Broadcast, Finder, is_channel
from connectors.youtube.errors import YouTubeError
from connectors.youtube.live_chat import Page, parse_item
from connectors.youtube.normalise import ChatNormaliser
from connectors.youtube.quota import Quota
from connectors.youtube.settings import YouTubeSettings
from connectors.youtube.stream import KEEPALIVE_S, KEEPALIVE_TIMEOUT_S, ChatStreams
from schemas.codecs import InvalidRecordError
from schemas.records import ChatMessage
from schemas.retention import Retention

_OFFLINE_AFTER_TRIES: Final = 5
_LASTING: Final = ("credentials", "chat_over", "not_found", "page_lost")
_BROKEN_STREAMS: Final = 3
"""After so many streams in a row that brought nothing, the chat is polled."""
_LOOK_EVERY_S: Final = 1.0
_SURELY_ALIVE_MS: Final = round((KEEPALIVE_S + KEEPALIVE_TIMEOUT_S) * 1000)
"""A connection that is dead for longer would have been noticed."""
T = TypeVar("T")


@dataclass
class _Target:
    """A video or channel that is followed."""

    name: str
    number: int
    last_received_ms: int
    """As a `Link` of the feed: each target has its own line to YouTube."""
    backoff: Backoff
    records: ChatNormaliser
    unheard: Unheard | None
    tries: int = 0
    page: str | None = None
    """Where the chat goes on."""
    streamed: bool = True
    broken_streams: int = 0


class YouTubeSource:
    """A `Source` over live chats; after a broadcast a channel waits for its next one.

    A stream is a broadcast: `youtube:CHANNEL/VIDEO`. While a channel is not live its states belong to
    `youtube:CHANNEL/offline`. After a break a chat goes on at its last page, so the lines of the gap come in
    later. The source ends when it is stopped, or YouTube refuses the credentials.
    """

    def __init__(
        self,
        targets: Sequence[str],
        *,
        pseudonyms: Pseudonyms,
        retention: Retention,
        sealer: Sealer,
        clock: Clock,
        settings: YouTubeSettings,
        api: DataApi,
        quota: Quota,
        streams: ChatStreams | None = None,
        workspace: str = "default",
        jitter: random.Random | None = None,
        on_state: OnState | None = None,
    ) -> None:
        """Prepare; nothing is called yet.

        Args:
            targets: ids of videos, ids of channels (`UC…`) or handles (`@name`).
            pseudonyms: for authors, mentions and those whom a ban concerns.
            retention: how long records may be kept.
            sealer: encrypts items that cannot be read.
            clock: stamps records; all pauses and timeouts go by it.
            settings: how often to look for broadcasts.
            api: the Data API; closed with the source.
            quota: the one that `api` and `streams` spend.
            streams: chats pushed by YouTube; closed with the source. Without them chats are polled.
            workspace: whose data it is.
            jitter: for the pauses between tries.
            on_state: told of each change of a target: name, state, reason.
        """
        self._pseudonyms, self._retention, self._workspace = pseudonyms, retention, workspace
        self._clock = clock
        self._settings = settings
        self._api = api
        self._quota = quota
        self._streams = streams
        self._jitter = jitter or random.Random()
        self._feed = LiveFeed(
            "youtube",
            clock=clock,
            sealer=sealer,
            workspace=workspace,
            queue_records=settings.queue_records,
            advice="check PULSE_YOUTUBE_API_KEY or PULSE_YOUTUBE_TOKEN_FILE",
            on_state=on_state,
        )
        self._targets: dict[str, _Target] = {}
        self._numbers = 0
        for target in targets:
            self.follow(target)

    @property
    def name(self) -> str:
        """`youtube:` and the first target, with how many more there are."""
        return self._feed.name

    @property
    def states(self) -> dict[str, tuple[State, str]]:
        """Each target's state and its reason."""
        return self._feed.states

    def heard_at(self, target: str) -> int | None:
        """Up to when (ms) the target was surely heard; None where it never was."""
        return self._feed.heard_at(target)

    def batches(self) -> AsyncIterator[Batch]:
        """Yield what the chats say until stopped.

        Raises:
            SourceError: YouTube refuses the credentials.
        """
        return self._feed.batches([self._watch(target) for target in self._targets.values()])

    def follow(self, target: str, *, unheard: Unheard | None = None) -> None:
        """Listen to one more target.

        Args:
            target: as the constructor takes them; one that is followed already changes nothing.
            unheard: since when, and why, nobody has heard it: a gap, once it is heard.
        """
        if target in self._targets:
            return
        self._numbers += 1
        settings = self._settings
        self._targets[target] = found = _Target(
            target,
            self._numbers,
            self._clock.now_ms(),
            Backoff(settings.backoff_base_s, settings.backoff_cap_s, self._jitter),
            self._records(target, f"youtube:{target}/offline"),
            unheard,
        )
        self._feed.add(target, found.records, unheard=unheard)
        self._feed.start(self._watch(found))

    async def unfollow(self, target: str, *, handed_over: bool = False) -> None:
        """Listen to a target no more; where it is not `handed_over` to another process, its stream ends."""
        if self._targets.pop(target, None):
            self._feed.remove(target, handed_over=handed_over)

    async def acknowledge(self, position: int) -> None:
        """Nothing to note: YouTube hands over a chat's last lines at the next start."""

    def stop(self) -> None:
        """Ask for no more pages; what was heard is still yielded."""
        self._feed.stop()

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()
        if self._streams:
            await self._streams.close()

    def _records(self, channel: str, stream_id: str) -> ChatNormaliser:
        return ChatNormaliser(channel, stream_id, self._pseudonyms, self._retention, self._workspace)

    def _followed(self, target: _Target) -> bool:
        return self._targets.get(target.name) is target

    async def _watch(self, target: _Target) -> str | None:
        """Find the target's broadcast and hear it, again and again for a channel."""
        finder = Finder(self._api, target.name, self._settings, self._clock)
        try:
            while self._followed(target):
                broadcast = await self._patiently(target, finder.look)
                if broadcast:
                    self._begin(target, broadcast)
                    await self._hear(target, broadcast)
                    self._end(target)
                    if not is_channel(target.name):
                        break
                elif self._followed(target):
                    self._feed.set_state(target.name, "offline", "no broadcast with a chat is live")
                await self._clock.sleep(self._settings.check_every_s)
        except YouTubeError as error:
            if error.failure != "not_found":
                self._feed.set_state(target.name, "blocked", str(error))
                return str(error)
            self._feed.set_state(target.name, "offline", str(error))
        while self._followed(target):  # nothing more will come, but it is on the list
            await self._clock.sleep(self._settings.check_every_s)
        return None

    def _begin(self, target: _Target, broadcast: Broadcast) -> None:
        """From now on the target's records belong to the broadcast."""
        if not self._followed(target):
            return
        target.records = self._records(broadcast.channel, f"youtube:{broadcast.channel}/{broadcast.video}")
        self._feed.remove(target.name, handed_over=True)
        self._feed.add(target.name, target.records, unheard=target.unheard)
        target.unheard = None
        if broadcast.began_ms is not None:
            self._feed.hold(target.records.stream_up(broadcast.began_ms, self._clock.now_ms()))

    def _end(self, target: _Target) -> None:
        """The broadcast is over: its stream ends, and a channel waits for the next one."""
        if not self._followed(target):
            return
        if not self._feed.covers(target.name):
            self._feed.hear(target, target.name)  # a gap that is open ends with the broadcast
        self._feed.hold(target.records.stream_down(self._clock.now_ms()))
        channel = target.records.channel
        self._feed.remove(target.name, "the broadcast is over")
        target.records = self._records(channel, f"youtube:{channel}/offline")
        self._feed.add(target.name, target.records)
        self._feed.set_state(target.name, "offline", "the broadcast is over")

    async def _hear(self, target: _Target, broadcast: Broadcast) -> None:
        """Page by page until the chat is over: pushed where YouTube lets us, else polled."""
        target.page = None
        while self._followed(target):
            try:
                if self._streams and target.streamed:
                    over = await self._streamed(target, self._streams, broadcast.chat)
                else:
                    over = await self._polled(target, broadcast.chat)
            except YouTubeError as error:
                if error.failure in ("chat_over", "not_found"):
                    return
                if error.failure == "page_lost":
                    target.page = None
                elif error.failure == "no_stream":
                    target.streamed = False
                else:
                    raise
            else:
                if over:
                    return

    async def _polled(self, target: _Target, chat: str) -> bool:
        """One page; returns whether the chat is over."""
        page = await self._patiently(target, partial(self._api.page, chat, target.page))
        await self._take(target, page)
        if not page.over:
            await self._clock.sleep(page.wait_s)
        return page.over

    async def _streamed(self, target: _Target, streams: ChatStreams, chat: str) -> bool:
        """The pages of one stream; returns whether the chat is over. A stream that breaks at once is none."""
        pages = streams.pages(chat, target.page)
        came = False
        try:
            while True:
                page = await self._next_page(target, pages)
                if page is None or not self._followed(target):
                    break
                came = True
                self._succeeded(target)
                await self._take(target, page)
                if page.over:
                    return True
        except YouTubeError as error:
            if error.failure in _LASTING or error.failure == "no_stream":
                raise
            wait_s = self._failed(target, error)
            if not came and error.failure != "quota":
                target.broken_streams += 1
            if target.broken_streams >= _BROKEN_STREAMS:
                target.streamed = False
            await self._clock.sleep(wait_s)
            return False
        finally:
            await pages.aclose()
        if came:
            target.broken_streams = 0
        else:
            await self._clock.sleep(target.backoff.next_s())
        return False

    async def _next_page(self, target: _Target, pages: AsyncGenerator[Page, None]) -> Page | None:
        """The next page of a stream, None at its end; while it is silent, keepalives say that it lives."""
        coming = asyncio.ensure_future(anext(pages, None))
        try:
            while True:
                silent = asyncio.ensure_future(self._clock.sleep(_LOOK_EVERY_S))
                await asyncio.wait({coming, silent}, return_when=asyncio.FIRST_COMPLETED)
                silent.cancel()
                if coming.done():
                    return coming.result()
                if self._feed.covers(target.name):
                    surely = self._clock.now_ms() - _SURELY_ALIVE_MS
                    target.last_received_ms = max(target.last_received_ms, surely)
        finally:
            if not coming.done():
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)

    async def _take(self, target: _Target, page: Page) -> None:
        """Pass a page's records on; from then on the chat is heard."""
        received_at = self._clock.now_ms()
        recovered = 0
        for raw in page.items:
            if not self._followed(target):
                return
            try:
                records = target.records.records(parse_item(raw), received_at)
            except InvalidRecordError as error:
                await self._feed.refused(bytes(raw), error)
                continue
            for record in records:
                if await self._feed.put(target.name, record) and isinstance(record, ChatMessage):
                    recovered += not self._feed.covers(target.name)
        target.page = page.next_page or target.page
        if not self._feed.covers(target.name):
            self._feed.hear(target, target.name, recovered=recovered)

    async def _patiently(self, target: _Target, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The call's result, after as many tries as it takes; failures that do not pass are raised."""
        while True:
            try:
                try:
                    result = await within(self._clock, self._settings.answer_timeout_s, call())
                except TimeoutError as error:
                    raise YouTubeError("stalled", str(error)) from None
            except YouTubeError as error:
                if error.failure in _LASTING:
                    raise
                wait_s = self._failed(target, error)
                await self._clock.sleep(wait_s)
            else:
                self._succeeded(target)
                return result

    def _succeeded(self, target: _Target) -> None:
        target.last_received_ms = self._clock.now_ms()
        target.tries = 0
        target.backoff.reset()

    def _failed(self, target: _Target, error: YouTubeError) -> float:
        """Note the failure; returns how many seconds to wait."""
        target.tries += 1
        self._feed.lose(target, error.failure)
        if error.failure == "quota":
            now = self._clock.now_ms()
            more_at = self._quota.more_at_ms(now)
            self._feed.set_state(target.name, "blocked", f"the day's quota is used up: {error}")
            return (more_at - now) / 1000
        down = target.tries >= _OFFLINE_AFTER_TRIES
        self._feed.set_state(target.name, "offline" if down else "degraded", str(error))
        return target.backoff.next_s()
