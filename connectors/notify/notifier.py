"""From alerts in Kafka to messages that targets have accepted.

Order of one batch: owed in the outbox (on disk), then committed to Kafka. Each target then sends on its own:
one message a group at a time, groups side by side, so a target or a group that fails holds up no other.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from connectors.clickhouse.routes import Row
from connectors.clickhouse.source import CommitRefusedError, Offsets, RowSource
from connectors.core.clock import Clock
from connectors.notify.config import NotifyConfig, Target
from connectors.notify.message import Message, PermanentError, Sender, TemporaryError, compose
from connectors.notify.metrics import NotifyMetrics
from connectors.notify.mutes import NOTHING_MUTED, Mutes
from connectors.notify.outbox import Due, Outbox
from connectors.notify.rules import news_of, verdict
from schemas.records import Alert
from schemas.topics import ALERTS

log = logging.getLogger(__name__)

MAX_ALERTS: Final = 20
"""Alerts in one message; the others follow in the next."""
_POLL_ROWS: Final = 500
_POLL_S: Final = 0.1
_LOOK_AGAIN_S: Final = 5.0
"""`pulse notify retry` writes to the outbox from another process: look at least so often."""
_PRUNE_EVERY_MS: Final = 3_600_000
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 60.0
_FAREWELL_S: Final = 5.0

_decoder = msgspec.json.Decoder(Alert)


class Notifier:
    """Tells the targets; `take` may be called while `run` runs, on the same event loop."""

    def __init__(
        self,
        config: NotifyConfig,
        senders: Mapping[str, Sender],
        outbox: Outbox,
        clock: Clock,
        metrics: NotifyMetrics,
        mutes: Mutes = NOTHING_MUTED,
    ) -> None:
        self._mutes = mutes
        self._config, self._senders, self._outbox = config, senders, outbox
        self._clock, self._metrics = clock, metrics
        self._wake = {target.name: asyncio.Event() for target in config.targets}
        self._began_ms = clock.now_ms()
        self._pruned_ms = 0

    def take(self, rows: Sequence[Row]) -> None:
        """Owe what the rules say of these records; on disk on return, nothing is sent yet."""
        with self._outbox.transaction():
            for row in rows:
                self._metrics.revisions.labels(self._take_one(row)).inc()
        for event in self._wake.values():
            event.set()
        self._count_waiting()

    async def run(self, stopping: asyncio.Event) -> None:
        """Send what is owed until told to stop; messages under way get a few seconds to arrive."""
        self._outbox.recover()
        async with asyncio.TaskGroup() as tasks:
            for target in self._config.targets:
                tasks.create_task(self._serve(target, stopping))

    async def consume(self, source: RowSource, stopping: asyncio.Event) -> None:
        """Read Kafka until told to stop."""
        source.subscribe([ALERTS], lambda: None)
        try:
            while not stopping.is_set():
                rows = await asyncio.to_thread(source.poll, _POLL_ROWS, _POLL_S)
                if rows:
                    await self._mutes.refresh(
                        {(row.key or b"").decode("utf-8", "replace").split("|")[0] for row in rows}
                    )
                    self.take(rows)
                    await self._commit(source, rows)
        finally:
            stopping.set()
            await asyncio.to_thread(source.close)

    def _take_one(self, row: Row) -> str:
        now_ms = self._clock.now_ms()
        try:
            alert = _decoder.decode(row.value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._outbox.refuse(row.topic, row.partition, row.offset, str(error), row.value or b"", now_ms)
            place = {"topic": row.topic, "partition": row.partition, "offset": row.offset}
            log.warning("a record is no alert: %s", type(error).__name__, extra=place)
            return "refused"
        appended_at = min(row.appended_at or now_ms, now_ms)
        if now_ms - appended_at > self._config.max_age_s * 1000:
            return "stale"
        # ids of messages are personal data of the platform: they stay in the store, the link leads there
        alert = msgspec.structs.replace(alert, evidence=(), clusters=())
        outcomes = {self._owe(target, alert, appended_at, now_ms) for target in self._config.targets}
        ranked = ("queued", "quiet", "repeated", "unchanged", "unmatched")
        return next(outcome for outcome in ranked if outcome in outcomes)

    def _owe(self, target: Target, alert: Alert, appended_at: int, now_ms: int) -> str:
        told = self._outbox.told(target.name, alert)
        if told is not None and alert.revision <= told.revision:
            return "repeated"
        news = news_of(alert, told)
        if news is None and self._outbox.waits(target.name, alert):
            news = "open"  # not told yet: whatever is newest goes out in its place
        if news is None:
            return "unchanged"
        found = verdict(self._config, target.name, alert, news, now_ms)
        if found is None:
            return "unmatched"
        if self._mutes.muted(alert, now_ms):
            found = found._replace(not_before=None)
        group = alert.workspace if target.group_by == "workspace" else f"{alert.workspace}|{alert.channel}"
        self._outbox.add(target.name, alert, news, group, found, appended_at, now_ms)
        return "queued" if found.not_before is not None else "quiet"

    async def _commit(self, source: RowSource, rows: Sequence[Row]) -> None:
        offsets: Offsets = {}
        for row in rows:
            key = (row.topic, row.partition)
            offsets[key] = max(offsets.get(key, 0), row.offset + 1)
        try:
            await asyncio.to_thread(source.commit, offsets)
        except CommitRefusedError as error:
            self._metrics.commit_failures.inc()
            log.warning("Kafka refused a commit; the alerts are read again and recognised: %s", error)

    async def _serve(self, target: Target, stopping: asyncio.Event) -> None:
        wake, sending = self._wake[target.name], dict[str, asyncio.Task[None]]()
        failed: list[BaseException] = []

        def ended(group: str, task: asyncio.Task[None]) -> None:
            del sending[group]
            if not task.cancelled() and (error := task.exception()):
                failed.append(error)
            wake.set()

        wait_ms = round(target.group_wait_s * 1000)
        while not stopping.is_set():
            wake.clear()
            if failed:
                raise failed[0]
            now_ms = self._clock.now_ms()
            self._prune(now_ms)
            for group in self._outbox.due_groups(target.name, now_ms - wait_ms):
                if group not in sending:
                    task = asyncio.create_task(self._send_group(target, group, now_ms))
                    sending[group] = task
                    task.add_done_callback(partial(ended, group))
            due_ms = self._outbox.next_at(target.name, tuple(sending))
            pause_s = _LOOK_AGAIN_S
            if due_ms is not None:
                pause_s = min(pause_s, max(0.001, (due_ms + wait_ms - now_ms) / 1000))
            await _first(wake.wait(), stopping.wait(), self._clock.sleep(pause_s))
        if sending:
            _, late = await asyncio.wait(sending.values(), timeout=_FAREWELL_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _send_group(self, target: Target, group: str, now_ms: int) -> None:
        due = self._outbox.claim(target.name, group, now_ms, MAX_ALERTS)
        if not due:
            return
        message = compose(target.name, group, due)
        try:
            await self._deliver(target, message)
        except (PermanentError, TemporaryError) as error:
            self._give_up(message, str(error))
        except BaseException:
            self._outbox.release(due)
            raise
        else:
            self._note_sent(message)
        self._count_waiting()

    async def _deliver(self, target: Target, message: Message) -> None:
        first_ms = max(self._began_ms, max(due.not_before for due in message.due))
        deadline_ms = first_ms + target.give_up_s * 1000

        def is_hopeless(state: RetryCallState) -> bool:
            return self._clock.now_ms() + state.upcoming_sleep * 1000 >= deadline_ms

        def count(state: RetryCallState) -> None:
            error = _error_of(state)
            self._metrics.failures.labels(target.name, error.reason).inc()
            log.warning(
                "%s; next attempt in %.1f s", error, state.upcoming_sleep, extra={"target": target.name}
            )

        attempts = AsyncRetrying(
            retry=retry_if_exception_type(TemporaryError),
            wait=_pause_s,
            stop=is_hopeless,
            before_sleep=count,
            sleep=self._clock.sleep,
            reraise=True,
        )
        sender = self._senders[target.name]
        async for attempt in attempts:
            with attempt:
                await sender.ready()
                await sender.send(message)

    def _note_sent(self, message: Message) -> None:
        now_ms = self._clock.now_ms()
        self._outbox.sent(message.due, now_ms)
        self._metrics.messages.labels(message.target).inc()
        self._metrics.sent.labels(message.target).inc(len(message.due))
        for due in message.due:
            log.info("told", extra=_ids(message.target, due))
            if not due.held:
                self._metrics.delay.labels(message.target).observe((now_ms - due.appended_at) / 1000)

    def _give_up(self, message: Message, reason: str) -> None:
        self._outbox.give_up(message.due, reason, self._clock.now_ms())
        self._metrics.failures.labels(message.target, "gave_up").inc()
        self._metrics.dead.labels(message.target).inc(len(message.due))
        for due in message.due:
            log.error("given up (`pulse notify dead`): %s", reason, extra=_ids(message.target, due))

    def _count_waiting(self) -> None:
        waiting = self._outbox.waiting()
        for target in self._config.targets:
            self._metrics.waiting.labels(target.name).set(waiting.get(target.name, 0))

    def _prune(self, now_ms: int) -> None:
        if now_ms - self._pruned_ms >= _PRUNE_EVERY_MS:
            self._pruned_ms = now_ms
            self._outbox.prune(now_ms)


def _ids(target: str, due: Due) -> dict[str, str]:
    """Fields of a log line about one alert."""
    alert = due.alert
    return {
        "target": target,
        "alert_id": alert.alert_id,
        "stream_id": alert.stream_id,
        "channel": alert.channel,
    }


_jitter: Callable[[RetryCallState], float] = wait_random_exponential(
    multiplier=_FIRST_PAUSE_S, max=_LONGEST_PAUSE_S
)


def _pause_s(state: RetryCallState) -> float:
    """Exponential with full jitter, capped, but never shorter than what the target asked for."""
    return max(_error_of(state).retry_after_s, _jitter(state))


def _error_of(state: RetryCallState) -> TemporaryError:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, TemporaryError) else TemporaryError("unknown", str(error))


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
