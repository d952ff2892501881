"""A Telegram chat, by the Bot API's sendMessage (core.telegram.org/bots/api)."""

import json
from typing import Any, Final

import httpx
import msgspec

from connectors.core.clock import Clock
from connectors.notify.config import Telegram
from connectors.notify.message import Message, PermanentError, TemporaryError, post
from connectors.notify.rate_limit import Pause, SlidingWindow, Turnstile
from connectors.notify.rules import rank
from connectors.notify.telegram_text import text

PER_CHAT: Final = (1, 1.0)
PER_GROUP: Final = (20, 60.0)
PER_BOT: Final = (30, 1.0)
"""Messages and seconds, by core.telegram.org/bots/faq, "My bot is hitting limits"."""


class Limits:
    """The limits of bots and chats; targets that share a bot or a chat share its limits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bots: dict[str, SlidingWindow] = {}
        self._chats: dict[tuple[str, str], list[SlidingWindow]] = {}
        self._pauses: dict[str, Pause] = {}

    def of(self, bot: str, chat: int | str) -> tuple[Turnstile, Pause]:
        """What to pass before a message to this chat, and the pause that a 429 sets (for the whole bot)."""
        is_group = isinstance(chat, str) or chat < 0
        key = (bot, str(chat).casefold())
        if key not in self._chats:
            spans = (PER_CHAT, PER_GROUP) if is_group else (PER_CHAT,)
            self._chats[key] = [SlidingWindow(*span) for span in spans]
        whole = self._bots.setdefault(bot, SlidingWindow(*PER_BOT))
        pause = self._pauses.setdefault(bot, Pause())
        return Turnstile(self._clock, [*self._chats[key], whole, pause]), pause


class _Parameters(msgspec.Struct, frozen=True):
    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class _Answer(msgspec.Struct, frozen=True):
    ok: bool
    error_code: int = 0
    description: str = ""
    parameters: _Parameters = _Parameters()


class TelegramSender:
    """See Sender."""

    def __init__(
        self,
        target: Telegram,
        client: httpx.AsyncClient,
        secrets: dict[str, str],
        page_url: str,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._target, self._client, self._page_url, self._clock = target, client, page_url, clock
        self._token = secrets[target.token_env]
        self._turnstile, self._pause = limits.of(self._token, target.chat)

    async def ready(self) -> None:
        """See Sender."""
        await self._turnstile.wait()

    async def send(self, message: Message) -> None:
        """See Sender; 429 pauses the bot for its `retry_after`."""
        url = f"{self._target.api_url.rstrip('/')}/bot{self._token}/sendMessage"
        body = json.dumps(self._request(message), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        answer = await post(self._client, url, body, headers, self._target.timeout_s)
        try:
            said = msgspec.json.decode(answer.content, type=_Answer)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # a proxy's page instead of the API's answer
            raise TemporaryError(f"http_{answer.status_code}", "the answer was not the Bot API's") from None
        if said.ok and answer.is_success:
            return
        code = said.error_code or answer.status_code
        # Telegram's words are for people and name no secret, but who knows: the token never leaves
        detail = f"Telegram answered {code}: {said.description.replace(self._token, '…')[:300]}"
        if code == 429:
            wait = float(said.parameters.retry_after or 1)
            self._pause.until(self._clock.monotonic() + wait)
            raise TemporaryError("rate_limited", detail, wait)
        if code >= 500:
            raise TemporaryError(f"http_{code}", detail)
        raise PermanentError(detail + self._hint(code, said))

    def _request(self, message: Message) -> dict[str, Any]:
        target = self._target
        worst = max(rank(due.alert.severity) for due in message.due)
        request: dict[str, Any] = {
            "chat_id": target.chat,
            "text": text(message.due, self._page_url, target.language, target.timezone),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
            "disable_notification": worst < rank(target.silent_below),
        }
        if target.thread is not None:
            request["message_thread_id"] = target.thread
        return request

    def _hint(self, code: int, said: _Answer) -> str:
        if said.parameters.migrate_to_chat_id is not None:
            return f"; the group became a supergroup: set `chat: {said.parameters.migrate_to_chat_id}`"
        return {
            401: f"; check the token in {self._target.token_env}",
            403: "; add the bot to the chat again and let it write",
            404: f"; check the token in {self._target.token_env}",
        }.get(code, "")
