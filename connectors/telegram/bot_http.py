"""The Bot API over HTTP, by python-telegram-bot's request layer.

Only that layer: its `Bot.get_updates` parses all updates of an answer at once, so that one that it cannot
read would hide the others for ever, and logs what it could not read, names included.
"""

import json
import logging
import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from pydantic import SecretStr
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from connectors.telegram.bot_api import MOST_UPDATES, BotApiError
from connectors.telegram.updates import UPDATE_KINDS, Chat, Member, User

T = TypeVar("T")
_CALL_TIMEOUT_S: Final = 60.0
"""The source has its own timeouts, on its own clock; this one only frees the socket in the end."""


class HttpBotApi:
    """See BotApi."""

    def __init__(self, token: SecretStr, url: str) -> None:
        os.environ.setdefault("PTB_TIMEDELTA", "true")  # its waits as they will be in its next version
        self._token = token.get_secret_value()
        self._base = f"{url.rstrip('/')}/bot{self._token}"
        self._request = _Request(read_timeout=_CALL_TIMEOUT_S, connect_timeout=_CALL_TIMEOUT_S)
        self._redaction = _Redaction(self._token)
        logging.getLogger("httpx").addFilter(self._redaction)  # it logs each address, and with it the token

    async def me(self) -> User:
        """See BotApi."""
        return await self._call("getMe", User)

    async def chat(self, name: str) -> Chat:
        """See BotApi."""
        return await self._call("getChat", Chat, chat_id=name)

    async def member(self, chat_id: int, user_id: int) -> Member:
        """See BotApi."""
        return await self._call("getChatMember", Member, chat_id=chat_id, user_id=user_id)

    async def updates(
        self, offset: int | None, *, timeout_s: int, most: int = MOST_UPDATES
    ) -> Sequence[msgspec.Raw]:
        """See BotApi."""
        updates = await self._call(
            "getUpdates",
            list[Any],
            timeout=timeout_s,
            limit=most,
            allowed_updates=json.dumps(UPDATE_KINDS),
            **({} if offset is None else {"offset": offset}),
        )
        return [msgspec.Raw(json.dumps(update).encode()) for update in updates]

    async def close(self) -> None:
        """See BotApi."""
        await self._request.shutdown()
        logging.getLogger("httpx").removeFilter(self._redaction)

    async def _call(self, method: str, kind: type[T], **parameters: str | int) -> T:
        try:
            result = await self._request.post(f"{self._base}/{method}?{urlencode(parameters)}")
            return msgspec.convert(result, type=kind)
        except (_NoAnswerError, msgspec.MsgspecError, KeyError):
            raise BotApiError("bad_answer", f"{method}: the answer was not the Bot API's") from None
        except TelegramError as error:
            raise self._told(method, error) from None

    def _told(self, method: str, error: TelegramError) -> BotApiError:
        reason = f"{method}: {error.message.replace(self._token, '…')[:300]}"
        match error:
            case RetryAfter():
                wait = error.retry_after
                wait_s = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
                return BotApiError("flood_wait", f"Telegram wants {wait_s:g} s without a call", wait_s)
            case InvalidToken():
                return BotApiError("token", "Telegram does not know the bot's token")
            case Conflict():
                return BotApiError("conflict", reason)
            case ChatMigrated():
                return BotApiError("chat", f"the group is now the supergroup {error.new_chat_id}")
            case BadRequest() | Forbidden():
                return BotApiError("chat", reason)
        return BotApiError("connection_lost", reason)


class _NoAnswerError(Exception):
    """Not the Bot API's JSON."""


class _Request(HTTPXRequest):
    """Neither logs nor quotes what it cannot read."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer's fields; a broken letter passes this reader and spoils one update only."""
        try:
            answer = json.loads(payload.decode(errors="replace"))
        except (ValueError, RecursionError):
            raise _NoAnswerError from None
        if not isinstance(answer, dict) or not isinstance(answer.get("parameters", {}), dict):
            raise _NoAnswerError
        return answer


class _Redaction(logging.Filter):
    """Keeps records that hold the token out of the log."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def filter(self, record: logging.LogRecord) -> bool:
        return self._token not in record.getMessage()
