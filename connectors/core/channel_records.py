"""Records of one live channel that are not chat lines: what happened on it, and its heartbeats."""

from dataclasses import dataclass

from connectors.core.pseudonyms import Pseudonyms
from schemas.records import ChatEvent, ChatMessage, EventKind
from schemas.retention import Retention


@dataclass
class ChannelRecords:
    """Makes events and heartbeats of one channel of `platform`; names become pseudonyms here."""

    platform: str
    channel: str
    stream_id: str
    pseudonyms: Pseudonyms
    retention: Retention
    workspace: str = "default"

    @property
    def address(self) -> str:
        """`platform:name`, as in every record."""
        return f"{self.platform}:{self.channel}"

    def event(
        self,
        kind: EventKind,
        identity: str,
        at: int,
        received_at: int,
        *,
        source: str = "",
        target_author: str = "",
        target_message_id: str | None = None,
        viewers: int | None = None,
        span: tuple[int, int] | None = None,
        cause: str | None = None,
        recovered: int = 0,
        state: str | None = None,
    ) -> ChatEvent:
        """An event of this channel; `source` and `target_author` are names and become pseudonyms.

        Args:
            kind: what happened.
            identity: tells it from other events of its kind; the same event always has the same one.
            at: when, ms; never later than `received_at`.
            received_at: when we heard of it, ms.
            source: who did it.
            target_author: whom it was done to.
            target_message_id: which line it was done to.
            viewers: of a raid.
            span: of a gap: nothing was heard after its start and before its end, ms.
            cause: why, in a word or a sentence without names.
            recovered: of a gap: lines of its span that came in later.
            state: of a change of the source's state.
        """
        return ChatEvent(
            workspace=self.workspace,
            channel=self.address,
            stream_id=self.stream_id,
            event_id=f"{kind}/{identity}",
            kind=kind,
            at=min(at, received_at),
            received_at=received_at,
            expires_at=self.retention.expires_at(self.platform, received_at),
            source=self.pseudonyms.author(source) or None,
            viewers=viewers,
            target_message_id=target_message_id,
            target_author=self.pseudonyms.author(target_author) or None,
            span_from=span[0] if span else None,
            span_to=span[1] if span else None,
            cause=cause,
            recovered=recovered if span else None,
            state=state,
        )

    def heartbeat(self, from_ms: int, to_ms: int, received_at: int, *, closing: bool = False) -> ChatMessage:
        """Says that the channel was heard, and silent, after `from_ms` up to `to_ms`."""
        return ChatMessage(
            workspace=self.workspace,
            channel=self.address,
            stream_id=self.stream_id,
            message_id=f"{self.stream_id}/heartbeat-{to_ms}",
            kind="heartbeat",
            sent_at=to_ms,
            received_at=received_at,
            expires_at=self.retention.expires_at(self.platform, received_at),
            span_from=from_ms,
            span_to=to_ms,
            closing=closing,
        )
