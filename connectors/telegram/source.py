"""The live source of a bot: groups and channels that it is a member of, as records for Kafka."""

import contextlib
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec

from connectors.core.clock import Clock, within
from connectors.core.live import LiveFeed, OnState, State, Unheard
from connectors.core.pacing import Backoff
from connectors.core.pseudonyms import Pseudonyms
from connectors.core.sealing import Sealer
from connectors.core.source import Batch
from connectors.telegram.bot_api import MOST_UPDATES, BotApi, BotApiError
from connectors.telegram.normalise import ChatNormaliser
from connectors.telegram.settings import TelegramSettings
from connectors.telegram.updates import Chat, Member, User, parse_update, update_id_of
from schemas.codecs import InvalidRecordError
from schemas.records import ChatMessage
from schemas.retention import Retention

_OFFLINE_AFTER_TRIES: Final = 5
_CLOSED: Final = ("left", "kicked")
_SEES_ALL: Final = ("administrator", "creator")
T = TypeVar("T")


def chat_name(chat: str) -> str:
    """The name in records: without `@`, in lower case."""
    return chat.removeprefix("@").lower()


@dataclass
class _Line:
    """The line to Telegram: one poll after the other."""

    number: int
    last_received_ms: int


class TelegramBotSource:
    """A `Source` over groups and channels; it ends when it is stopped or Telegram refuses the token.

    Telegram keeps what a bot has not fetched for 24 hours, and forgets it once the next fetch says so. That
    is said only when Kafka has it: a source that was killed gets the rest again, with the same message ids.
    A stream is a chat and the UTC date on which the source began.
    """

    def __init__(
        self,
        chats: Sequence[str],
        *,
        pseudonyms: Pseudonyms,
        retention: Retention,
        sealer: Sealer,
        clock: Clock,
        settings: TelegramSettings,
        api: BotApi,
        workspace: str = "default",
        jitter: random.Random | None = None,
        on_state: OnState | None = None,
    ) -> None:
        """Prepare; nothing is called yet.

        Args:
            chats: `@name`, `name`, or the number of a chat without a name (`-100…`).
            pseudonyms: for authors, mentions and those whom a ban concerns.
            retention: how long records may be kept.
            sealer: encrypts updates that cannot be read.
            clock: stamps records; all pauses and timeouts go by it.
            settings: how to poll.
            api: the Bot API; closed with the source.
            workspace: whose data it is.
            jitter: for the pauses between tries.
            on_state: told of each change of a chat: name, state, reason.
        """
        self._chats: dict[str, ChatNormaliser] = {}
        self._unfound: list[str] = []
        self._pseudonyms, self._retention, self._workspace = pseudonyms, retention, workspace
        self._clock = clock
        self._settings = settings
        self._api = api
        self._backoff = Backoff(settings.backoff_base_s, settings.backoff_cap_s, jitter or random.Random())
        self._feed = LiveFeed(
            "telegram",
            clock=clock,
            sealer=sealer,
            workspace=workspace,
            queue_records=settings.queue_records,
            advice="check PULSE_TELEGRAM_BOT_TOKEN",
            on_state=on_state,
        )
        self._me = User(0)
        self._names: dict[int, str] = {}
        """The chats that were found, by number."""
        self._standing: dict[str, tuple[State, str]] = {}
        """What each of them is while the line to Telegram works."""
        self._settled = False
        self._line = _Line(1, clock.now_ms())
        self._tries = 0
        self._recovered: Counter[str] = Counter()
        self._ends: deque[tuple[int, int]] = deque()
        """Of each update not yet in Kafka: its last record's position, and the offset after it."""
        self._offset: int | None = None
        self._offset_told = True
        for chat in chats:
            self.follow(chat)

    @property
    def name(self) -> str:
        """`telegram:` and the first chat, with how many more there are."""
        return self._feed.name

    @property
    def states(self) -> dict[str, tuple[State, str]]:
        """Each chat's state and its reason."""
        return self._feed.states

    def heard_at(self, chat: str) -> int | None:
        """Up to when (ms) the chat was surely heard; None where it never was."""
        return self._feed.heard_at(chat_name(chat))

    def batches(self) -> AsyncIterator[Batch]:
        """Yield what the chats say until stopped.

        Raises:
            SourceError: Telegram refuses the token.
        """
        return self._feed.batches([self._listen()])

    def follow(self, chat: str, *, unheard: Unheard | None = None) -> None:
        """Listen to one more chat, after the poll that is under way.

        Args:
            chat: as the constructor takes them; one that is followed already changes nothing.
            unheard: since when, and why, nobody has heard it: a gap, once it is heard.
        """
        name = chat_name(chat)
        if name in self._chats:
            return
        date = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date().isoformat()
        self._chats[name] = ChatNormaliser(
            name, f"telegram:{name}/{date}", self._pseudonyms, self._retention, self._workspace
        )
        self._unfound.append(name)
        self._feed.add(name, self._chats[name], unheard=unheard)

    async def unfollow(self, chat: str, *, handed_over: bool = False) -> None:
        """Listen to a chat no more; where it is not `handed_over` to another process, its stream ends."""
        name = chat_name(chat)
        if self._chats.pop(name, None):
            self._names = {number: other for number, other in self._names.items() if other != name}
            self._unfound = [other for other in self._unfound if other != name]
            self._standing.pop(name, None)
            self._feed.remove(name, handed_over=handed_over)

    async def acknowledge(self, position: int) -> None:
        """The next fetch tells Telegram that it may forget what came up to there."""
        while self._ends and self._ends[0][0] <= position:
            self._offset = self._ends.popleft()[1]
            self._offset_told = False
        self._feed.acknowledge(position)

    def stop(self) -> None:
        """Fetch no more; what was heard is still yielded."""
        self._feed.stop()

    async def close(self) -> None:
        """Tell Telegram what need not come again, and close the connections."""
        if not self._offset_told:
            self._offset_told = True
            with contextlib.suppress(BotApiError):  # then it comes again at the next start, with the same ids
                await self._within(self._settings.stalled_after_s, self._fetch(timeout_s=0, most=1))
        await self._api.close()

    async def _listen(self) -> str | None:
        try:
            self._me = await self._patiently(self._api.me)
            while True:
                while self._unfound:
                    await self._find(self._unfound[0])
                await self._poll()
        except BotApiError as error:
            for name in self._chats:
                self._feed.set_state(name, "blocked", str(error))
            return str(error)

    async def _find(self, name: str) -> None:
        """Look up what the bot may hear of a chat."""
        called = name if name.lstrip("-").isdigit() else f"@{name}"
        number = None
        standing: tuple[State, str]
        try:
            chat = await self._patiently(lambda: self._api.chat(called))
            number = chat.id
            member = await self._patiently(lambda: self._api.member(chat.id, self._me.id))
            standing = _standing(chat, member, self._me)
        except BotApiError as error:
            if error.failure == "token":
                raise
            standing = ("blocked", f"{error}; add the bot to the chat")
        if name not in self._chats:
            return  # removed meanwhile
        self._unfound = [other for other in self._unfound if other != name]
        self._standing[name] = standing
        self._settled = False
        if number is not None:
            self._names[number] = name
        if standing[0] != "live":
            self._feed.leave(self._line, name, "blocked")

    async def _poll(self) -> None:
        longest_s = self._settings.poll_timeout_s
        updates = await self._patiently(
            lambda: self._fetch(timeout_s=longest_s if self._settled else 0), longest_s
        )
        received_at = self._clock.now_ms()
        offset = 0
        for raw in updates:
            offset = max(offset, (update_id_of(raw) or 0) + 1)
            await self._take(raw, received_at)
            self._ends.append((self._feed.position, offset))
        if len(updates) < MOST_UPDATES:  # else there is more of the time when nobody listened
            self._settle()
        await self._feed.delivered(self._feed.position)

    async def _fetch(self, *, timeout_s: int, most: int = MOST_UPDATES) -> Sequence[msgspec.Raw]:
        updates = await self._api.updates(self._offset, timeout_s=timeout_s, most=most)
        self._offset_told = True
        if updates and not any(update_id_of(raw) for raw in updates):
            raise BotApiError("bad_answer", "getUpdates: updates without numbers")
        return updates

    async def _take(self, raw: msgspec.Raw, received_at: int) -> None:
        try:
            update = parse_update(raw)
        except InvalidRecordError as error:
            await self._feed.refused(bytes(raw), error)
            return
        name = self._name_of(update.chat)
        if name is None:
            return  # of a chat that nobody asked for
        if update.my_chat_member:
            await self._find(name)
        if update.new and update.new.migrate_to_chat_id:
            self._names[update.new.migrate_to_chat_id] = name
        chat = self._chats.get(name)
        for record in chat.records(update, received_at) if chat else ():
            if await self._feed.put(name, record) and isinstance(record, ChatMessage):
                self._recovered[name] += not self._feed.covers(name)

    def _name_of(self, chat: Chat | None) -> str | None:
        if chat is None:
            return None
        named = chat.username.lower()
        return self._names.get(chat.id) or (named if named in self._chats else None)

    def _settle(self) -> None:
        """All that Telegram held has come: chats are what they are."""
        for name, (state, reason) in self._standing.items():
            if state != "live":
                self._feed.set_state(name, state, reason)
            elif not self._feed.covers(name):
                self._feed.hear(self._line, name, recovered=self._recovered[name])
        self._recovered.clear()
        self._settled = True

    async def _patiently(self, call: Callable[[], Coroutine[Any, Any, T]], wait_s: float = 0.0) -> T:
        """The call's result, after as many tries as it takes; failures that do not pass are raised."""
        while True:
            try:
                result = await self._within(wait_s + self._settings.stalled_after_s, call())
            except BotApiError as error:
                if error.failure in ("token", "chat"):
                    raise
                self._failed(error)
                await self._clock.sleep(error.wait_s or self._backoff.next_s())
            else:
                self._line.last_received_ms = self._clock.now_ms()
                self._tries = 0
                self._backoff.reset()
                return result

    async def _within(self, seconds: float, call: Coroutine[Any, Any, T]) -> T:
        try:
            return await within(self._clock, seconds, call)
        except TimeoutError:
            raise BotApiError("stalled", f"no answer within {seconds:g} s") from None

    def _failed(self, error: BotApiError) -> None:
        self._tries += 1
        self._settled = False
        self._feed.lose(self._line, error.failure)
        down = self._tries >= _OFFLINE_AFTER_TRIES and error.failure != "flood_wait"
        for name in self._chats:
            standing = self._standing.get(name)
            if standing is None or standing[0] != "blocked":
                self._feed.set_state(name, "offline" if down else "degraded", str(error))


def _standing(chat: Chat, member: Member, me: User) -> tuple[State, str]:
    """What a bot may hear of a chat (core.telegram.org/bots/features, "Privacy mode")."""
    if member.status in _CLOSED:
        return "blocked", "the bot is no member of the chat; add it"
    if chat.type == "channel" or member.status in _SEES_ALL or me.can_read_all_group_messages:
        return "live", ""
    return "degraded", (
        "the bot hears only commands: make it an administrator, or turn its privacy mode off at @BotFather "
        "and add it anew"
    )
