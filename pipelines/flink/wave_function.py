"""The operator that joins the channels of a workspace: campaigns that are weak on each channel alone."""

import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ValueStateDescriptor

from pipelines.core.detection.traces import Campaign, Report
from pipelines.core.detection.wave import Waves, WaveState
from schemas.codecs import encode, record_key
from schemas.records import Alert

WAVES: Final = "waves"
"""In place of a topic: rows of operator `detect` for this one."""
SETTLE_MS: Final = 3_000
"""Processing time in which every bucket of a replay has told of itself, and after which silence is an end."""
TICK_MS: Final = 1_000

encode_report = msgspec.msgpack.Encoder().encode
_report = msgspec.msgpack.Decoder(Report)


class _Kept(msgspec.Struct, array_like=True):
    """What is in Flink's state."""

    began_ms: int
    heard_ms: int
    """Processing time of the first and of the last report."""
    waves: WaveState


_encode = msgspec.msgpack.Encoder().encode
_kept = msgspec.msgpack.Decoder(_Kept)


def campaign_key(campaign: Campaign) -> bytes:
    """The key of the operator: everything of a workspace, or of a replay's run, is joined in one place."""
    return "|".join(campaign).encode()


def read_key(row: Row) -> str:
    """The key of a row of WAVES."""
    return bytes(row[0]).decode()


class WaveFunction(KeyedProcessFunction):
    """Holds the waves of its workspaces, in Flink's state after each report."""

    def __init__(self) -> None:
        self._memory: dict[str, _Kept] = {}
        self._state: Any = None

    def open(self, runtime_context: RuntimeContext) -> None:
        """Open the state; after a restore, too, nothing is in memory."""
        self._memory = {}
        self._state = runtime_context.get_state(
            ValueStateDescriptor("waves", Types.PRIMITIVE_ARRAY(Types.BYTE()))
        )

    def process_element(self, row: Row, context: KeyedProcessFunction.Context) -> Iterator[Row]:
        """One report of one bucket."""
        key: str = context.get_current_key()
        now_ms = _now_ms()
        kept = self._held(key, now_ms)
        kept.heard_ms = now_ms
        waves = _waves(key, kept)
        waves.take(_report.decode(bytes(row[1])))
        settled = _is_live(key) or now_ms - kept.began_ms >= SETTLE_MS
        alerts = waves.advance() if settled else []
        self._keep(key, kept)
        yield from map(_row, alerts)
        now = context.timer_service().current_processing_time()
        context.timer_service().register_processing_time_timer(now - now % TICK_MS + TICK_MS)

    def on_timer(self, timestamp: int, context: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        """Go on with what has settled, and close everything when no stream is left."""
        key: str = context.get_current_key()
        now_ms = _now_ms()
        kept = self._held(key, now_ms)
        waves = _waves(key, kept)
        if now_ms - kept.heard_ms >= SETTLE_MS:
            alerts = waves.advance() + waves.finish()
            self._keep(key, kept)
            yield from map(_row, alerts)
        if waves.idle:
            self._forget(key)
        else:
            context.timer_service().register_processing_time_timer(timestamp + TICK_MS)

    def _held(self, key: str, now_ms: int) -> _Kept:
        known = self._memory.get(key)
        if known is not None:
            return known
        stored = self._state.value()
        return _kept.decode(bytes(stored)) if stored else _Kept(now_ms, now_ms, WaveState())

    def _keep(self, key: str, kept: _Kept) -> None:
        self._memory[key] = kept
        self._state.update(_encode(kept))

    def _forget(self, key: str) -> None:
        self._memory.pop(key, None)
        self._state.clear()


def _waves(key: str, kept: _Kept) -> Waves:
    return Waves(kept.waves, live=_is_live(key))


def _is_live(key: str) -> bool:
    return key.endswith("|")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _row(alert: Alert) -> Row:
    return Row("pulse.alerts.v1", record_key(alert.workspace, alert.channel), encode(alert))
