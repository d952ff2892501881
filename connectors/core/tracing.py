"""Traces of a few chat lines on their way from the connector to the disk of the store, by OpenTelemetry.

One line in PULSE_TRACE_EVERY gets a trace: the connector's span, whose context travels in the Kafka header
`traceparent` (W3C Trace Context), and the store's spans, of the line as it was said and as it was scored.
Off, and nothing of OpenTelemetry is loaded, unless OTEL_EXPORTER_OTLP_ENDPOINT or
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT names a collector; the SDK's other variables (OTEL_EXPORTER_OTLP_HEADERS,
OTEL_BSP_…) count as documented there.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from connectors.core.source import Record, SourceError
from schemas.records import ChatMessage, ScoredMessage

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Headers = list[tuple[str, str | bytes | None]]
"""Of a Kafka record, as confluent-kafka takes them."""

HEADER: Final = "traceparent"
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
EVERY: Final = "PULSE_TRACE_EVERY"
DEFAULT_EVERY: Final = 1_000
_REMEMBERED: Final = 10_000
_NANOSECONDS: Final = 1_000_000


class TraceSettingError(SourceError):
    """PULSE_TRACE_EVERY is no whole number from 1 on."""


class Traces:
    """Makes spans and sends them in the background; one a process."""

    def __init__(self, service: str, exporter: SpanExporter, every: int = DEFAULT_EVERY) -> None:
        """Prepare.

        Args:
            service: `service.name` of the spans.
            exporter: where they go.
            every: one line in so many is traced.
        """
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("pulse")
        self._context = TraceContextTextMapPropagator()
        self._every, self._lines = every, 0
        self._unscored: OrderedDict[str, Context] = OrderedDict()

    @classmethod
    def from_environment(cls, service: str) -> Traces | None:
        """Traces to the collector that the environment names; None where it names none.

        Raises:
            TraceSettingError: PULSE_TRACE_EVERY is no such number.
        """
        if not any(os.environ.get(name) for name in ENDPOINTS):
            return None
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        text = os.environ.get(EVERY, str(DEFAULT_EVERY))
        if not text.isdecimal() or int(text) < 1:
            raise TraceSettingError(f"{EVERY} is {text!r}: say 1000 for one line in a thousand")
        return cls(service, OTLPSpanExporter(), int(text))

    def published(self, record: Record, topic: str) -> Published | None:
        """Begin the trace of a chat line whose turn it is."""
        if not isinstance(record, ChatMessage) or record.kind != "message":
            return None
        self._lines += 1
        if self._lines % self._every:
            return None
        from opentelemetry.trace import SpanKind

        span = self._tracer.start_span(
            f"send {topic}",
            kind=SpanKind.PRODUCER,
            attributes=_attributes(record, topic) | {"pulse.received_at": record.received_at},
        )
        return Published(span, self._context)

    def arrived(
        self, record: object, topic: str, traceparent: str | None, appended_at: int | None
    ) -> Arrived | None:
        """Go on with the trace of a line that the store has read; None for a line without one.

        Args:
            record: the line, as it was said or scored.
            topic: where it came from.
            traceparent: the header of its record; a scored line needs none, it is known by its id.
            appended_at: when Kafka took the record, epoch ms: the span begins then.
        """
        if not isinstance(record, ChatMessage):
            return None
        attributes = _attributes(record, topic)
        if isinstance(record, ScoredMessage):
            parent = self._unscored.pop(record.message_id, None)
            attributes |= {"pulse.model": record.model, "pulse.scored_at": record.scored_at}
        else:
            parent = self._parent(traceparent) if traceparent else None
            if parent is not None:
                self._remember(record.message_id, parent)
        if parent is None:
            return None
        from opentelemetry.trace import SpanKind

        began = None if appended_at is None else appended_at * _NANOSECONDS
        return Arrived(
            self._tracer.start_span(
                f"store {topic}",
                context=parent,
                kind=SpanKind.CONSUMER,
                start_time=began,
                attributes=attributes,
            ),
            record,
        )

    def _parent(self, traceparent: str) -> Context | None:
        from opentelemetry.trace import get_current_span

        context = self._context.extract({HEADER: traceparent})
        return context if get_current_span(context).get_span_context().is_valid else None

    def close(self) -> None:
        """Send what is left; returns when it has been sent or the exporter gave up."""
        self._provider.shutdown()

    def _remember(self, message_id: str, context: Context) -> None:
        self._unscored[message_id] = context
        if len(self._unscored) > _REMEMBERED:
            self._unscored.popitem(last=False)


class Published:
    """The connector's part of one trace; `headers` go with the record."""

    def __init__(self, span: Span, propagator: TraceContextTextMapPropagator) -> None:
        from opentelemetry.trace import set_span_in_context

        carrier: dict[str, str] = {}
        propagator.inject(carrier, set_span_in_context(span))
        self.headers: Final[Headers] = [(name, value.encode()) for name, value in carrier.items()]
        self._span = span

    def end(self, error: str | None = None) -> None:
        """Kafka has the record, or refused it."""
        from opentelemetry.trace import Status, StatusCode

        if error:
            self._span.set_status(Status(StatusCode.ERROR, error))
        self._span.end()


class Arrived:
    """The store's part of one trace."""

    def __init__(self, span: Span, record: ChatMessage) -> None:
        self._span, self._record = span, record

    def end(self) -> dict[str, str]:
        """The line is on disk; gives the fields of a log line about it."""
        from opentelemetry.trace import format_trace_id

        self._span.end()
        return {
            "stream_id": self._record.stream_id,
            "message_id": self._record.message_id,
            "trace_id": format_trace_id(self._span.get_span_context().trace_id),
        }


def _attributes(record: ChatMessage, topic: str) -> dict[str, str | int]:
    """What a span says, by the messaging conventions where they have a name. No text, no author."""
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.message.id": record.message_id,
        "pulse.workspace": record.workspace,
        "pulse.stream_id": record.stream_id,
    }
