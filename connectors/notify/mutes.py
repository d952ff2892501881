"""Which alerts people have muted: asked of the API, at most every few seconds."""

import logging
from collections.abc import Iterable
from typing import Final, Protocol
from urllib.parse import quote

import httpx
import msgspec

from connectors.core.clock import Clock
from connectors.notify.metrics import NotifyMetrics
from schemas.records import Alert

log = logging.getLogger(__name__)

ASK_EVERY_MS: Final = 2_000
_TIMEOUT_S: Final = 2.0


class Mutes(Protocol):
    """What is muted."""

    async def refresh(self, workspaces: Iterable[str]) -> None:
        """Learn what is muted in these workspaces; never fails."""

    def muted(self, alert: Alert, now_ms: int) -> bool:
        """Whether nothing is to be told of this alert now, as far as is known."""


class _NothingMuted:
    async def refresh(self, workspaces: Iterable[str]) -> None:
        return None

    def muted(self, alert: Alert, now_ms: int) -> bool:
        return False


NOTHING_MUTED: Final[Mutes] = _NothingMuted()


class _Mute(msgspec.Struct):
    channel: str
    kind: str
    until: int


class _Answer(msgspec.Struct):
    mutes: list[_Mute]


_decoder = msgspec.json.Decoder(_Answer)


class ApiMutes:
    """Mutes as the API knows them; what was known stays in force while it does not answer."""

    def __init__(
        self,
        api_url: str,
        token: str,
        clock: Clock,
        metrics: NotifyMetrics,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url, self._token, self._clock, self._metrics = api_url.rstrip("/"), token, clock, metrics
        self._transport = transport
        self._known: dict[str, dict[tuple[str, str], int]] = {}
        self._asked_ms: dict[str, int] = {}

    async def refresh(self, workspaces: Iterable[str]) -> None:
        """See Mutes; asks for a workspace at most every ASK_EVERY_MS."""
        now_ms = self._clock.now_ms()
        due = [
            name for name in workspaces if now_ms - self._asked_ms.get(name, -ASK_EVERY_MS) >= ASK_EVERY_MS
        ]
        if not due:
            return
        headers = {"Authorization": f"Bearer {self._token}"}
        async with httpx.AsyncClient(
            transport=self._transport, headers=headers, timeout=_TIMEOUT_S, follow_redirects=False
        ) as client:
            for name in due:
                self._asked_ms[name] = now_ms
                try:
                    answer = await client.get(f"{self._url}/api/v1/{quote(name, safe='')}/mutes")
                    answer.raise_for_status()
                    mutes = _decoder.decode(answer.content).mutes
                except (httpx.HTTPError, msgspec.MsgspecError) as error:
                    self._metrics.mute_failures.inc()
                    log.warning("the API did not say what is muted: %s", type(error).__name__)
                    continue
                self._known[name] = {(mute.channel, mute.kind): mute.until for mute in mutes}

    def muted(self, alert: Alert, now_ms: int) -> bool:
        """See Mutes."""
        return now_ms < self._known.get(alert.workspace, {}).get((alert.channel, alert.kind), 0)
