"""The Bot API as the source sees it; python-telegram-bot speaks it (`bot_http`)."""

from collections.abc import Sequence
from typing import Final, Literal, Protocol

import msgspec

from connectors.telegram.updates import Chat, Member, User

MOST_UPDATES: Final = 100
"""The most that one getUpdates hands over."""

Failure = Literal["connection_lost", "stalled", "flood_wait", "conflict", "bad_answer", "token", "chat"]


class BotApiError(Exception):
    """A call failed; the message is for people and holds neither the token nor a line of chat.

    Of the failures `token` lasts until there is another token, and `chat` concerns one chat alone; all others
    pass. With `flood_wait` comes how long Telegram wants us to wait.
    """

    def __init__(self, failure: Failure, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.failure: Final = failure
        self.wait_s: Final = wait_s


class BotApi(Protocol):
    """The four calls that listening needs; each raises BotApiError."""

    async def me(self) -> User:
        """The bot itself."""

    async def chat(self, name: str) -> Chat:
        """A chat by `@name` or number; failure `chat` where the bot cannot see it."""

    async def member(self, chat_id: int, user_id: int) -> Member:
        """What a user is in a chat; failure `chat` where the bot cannot see it."""

    async def updates(
        self, offset: int | None, *, timeout_s: int, most: int = MOST_UPDATES
    ) -> Sequence[msgspec.Raw]:
        """The oldest updates from number `offset` on; those before it are forgotten by Telegram.

        Waits up to `timeout_s` where there are none.
        """

    async def close(self) -> None:
        """Close the connections."""
