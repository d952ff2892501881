"""One message to one target: the alerts in it, its id, and how sending it may fail."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple, Protocol
from urllib.parse import quote

import httpx

from connectors.notify.outbox import Due
from schemas.records import Alert


class Message(NamedTuple):
    """Alerts of one group, oldest first; `delivery` is the same whenever the same content is sent again."""

    delivery: str
    target: str
    group: str
    due: tuple[Due, ...]


class TemporaryError(Exception):
    """The target did not take the message now; trying again may help.

    `reason` is a short word for metrics; the text holds no secret. `retry_after_s` is the target's wish.
    """

    def __init__(self, reason: str, detail: str, retry_after_s: float = 0) -> None:
        super().__init__(detail)
        self.reason, self.retry_after_s = reason, retry_after_s


class PermanentError(Exception):
    """The target will never take this message; the text says why and what to do, without a secret."""


class Sender(Protocol):
    """Speaks to one target."""

    async def ready(self) -> None:
        """Return when the target's limits allow one more message; it then counts."""

    async def send(self, message: Message) -> None:
        """Hand the message over, accepted on return. Raises TemporaryError or PermanentError."""


def compose(target: str, group: str, due: Sequence[Due]) -> Message:
    """The message for these alerts."""
    named = "\n".join(
        [target, *sorted(f"{d.alert.workspace}|{d.alert.alert_id}|{d.alert.revision}" for d in due)]
    )
    return Message(hashlib.blake2b(named.encode(), digest_size=16).hexdigest(), target, group, tuple(due))


def page_link(page_url: str, alert: Alert) -> str:
    """Where people see the alert's stream."""
    return f"{page_url.rstrip('/')}/#/{quote(alert.workspace, safe='')}/{quote(alert.stream_id, safe='')}"


async def post(
    client: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str], timeout_s: float
) -> httpx.Response:
    """POST; whatever goes wrong before a complete answer is a TemporaryError without the address in it."""
    try:
        return await client.post(url, content=body, headers=headers, timeout=timeout_s)
    except httpx.TimeoutException:
        raise TemporaryError("timeout", f"no answer within {timeout_s:g} s") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise PermanentError("the address is no http(s) URL") from None
    except httpx.TransportError as error:
        raise TemporaryError("connection", f"the connection failed ({type(error).__name__})") from None
