"""One trace from the connector to the store: the header, the spans, and nothing of it where it is off."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from connectors.clickhouse.routes import MESSAGES, SCORED
from connectors.core.kafka_producer import DeliveryError, KafkaProducer
from connectors.core.testing import FakeKafka
from connectors.core.tracing import EVERY, Traces, TraceSettingError
from infra.local.settings import ROOT
from schemas.records import ScoredMessage
from tests.fixtures.store import event, line, scored

TEXT = "what somebody said"


def traceparent(headers: list[tuple[str, bytes]] | None) -> str | None:
    return dict(headers or []).get("traceparent", b"").decode() or None


async def send(fake: FakeKafka, traces: Traces | None, *records: object) -> None:
    async with KafkaProducer(fake, traces=traces) as producer:
        await producer.send(records)  # type: ignore[arg-type]


async def test_one_line_in_so_many_carries_a_w3c_header_and_all_arrive() -> None:
    fake = FakeKafka()
    beat = line("w", "b", kind="heartbeat", text="", author="")
    lines = [line("w", f"m{number}") for number in range(10)]
    await send(fake, Traces("connector", InMemorySpanExporter(), every=5), beat, event("w", "e"), *lines)
    assert len(fake.sent) == 12
    headers = [traceparent(found) for found in fake.headers]
    assert [number for number, found in enumerate(headers) if found] == [6, 11]
    version, trace_id, span_id, flags = (headers[6] or "").split("-")
    assert (version, len(trace_id), len(span_id), int(flags, 16) & 1) == ("00", 32, 16, 1)


async def test_a_line_is_one_trace_as_it_was_said_and_as_it_was_scored() -> None:
    fake, out = FakeKafka(), InMemorySpanExporter()
    said = line("w", "m1", text=TEXT)
    await send(fake, Traces("connector", out, every=1), said)
    (sent,) = out.get_finished_spans()

    stored = InMemorySpanExporter()
    traces = Traces("store", stored)
    header = traceparent(fake.headers[0])
    first = traces.arrived(said, MESSAGES, header, 1_700_000_000_000)
    second = traces.arrived(scored(said), SCORED, None, 1_700_000_000_200)
    assert first is not None
    assert second is not None
    fields = first.end()
    second.end()
    traces.close()
    assert fields["message_id"] == "m1"
    assert fields["stream_id"] == said.stream_id
    spans = stored.get_finished_spans()
    assert [span.name for span in spans] == [f"store {MESSAGES}", f"store {SCORED}"]
    for span in spans:
        assert span.parent is not None
        assert span.parent.span_id == sent.context.span_id
        assert span.context.trace_id == sent.context.trace_id
        assert f"{span.context.trace_id:032x}" == fields["trace_id"]
    assert spans[0].start_time == 1_700_000_000_000 * 1_000_000
    assert spans[1].attributes is not None
    assert spans[1].attributes["pulse.model"] == "test"
    assert TEXT not in "".join(span.to_json() for span in (sent, *spans))
    assert said.author not in "".join(span.to_json() for span in (sent, *spans))


@pytest.mark.parametrize(
    "header", [None, "", "00-0-0-00", "garbage", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"]
)
def test_without_a_valid_header_there_is_no_trace(header: str | None) -> None:
    traces = Traces("store", InMemorySpanExporter())
    assert traces.arrived(line("w", "m"), MESSAGES, header, None) is None
    assert traces.arrived(scored(line("w", "m")), SCORED, None, None) is None
    traces.close()


async def test_what_kafka_refuses_is_a_span_with_an_error() -> None:
    fake, out = FakeKafka(), InMemorySpanExporter()
    fake.fail_topic = MESSAGES
    with pytest.raises(DeliveryError):
        await send(fake, Traces("connector", out, every=1), line("w", "m"))
    (span,) = out.get_finished_spans()
    assert not span.status.is_ok


async def test_off_there_are_no_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeKafka()
    await send(fake, Traces.from_environment("connector"), line("w", "m"))
    assert fake.headers == [None]


def test_off_nothing_of_opentelemetry_is_loaded() -> None:
    program = (
        "import sys; import connectors.core.kafka_producer, connectors.clickhouse.sink;"
        " from connectors.core.tracing import Traces; assert Traces.from_environment('x') is None;"
        " sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={"PATH": ""}, check=False, timeout=120
    )
    assert done.returncode == 0


@pytest.mark.parametrize("every", ["0", "-1", "often", "1.5"])
def test_a_wrong_share_is_refused(monkeypatch: pytest.MonkeyPatch, every: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv(EVERY, every)
    with pytest.raises(TraceSettingError, match=EVERY):
        Traces.from_environment("connector")


class Collector:
    """Takes spans as an OpenTelemetry collector does: POST /v1/traces, protobuf."""

    def __init__(self) -> None:
        collector = self
        self.requests: list[ExportTraceServiceRequest] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces"
                collector.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    thread = Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


async def test_spans_reach_the_collector_that_the_environment_names(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv(EVERY, "1")
    await send(FakeKafka(), Traces.from_environment("pulse-connector"), line("w", "m1", text=TEXT))
    (request,) = collector.requests
    (resource,) = request.resource_spans
    names = {found.key: found.value.string_value for found in resource.resource.attributes}
    assert names["service.name"] == "pulse-connector"
    (span,) = resource.scope_spans[0].spans
    assert span.name == f"send {MESSAGES}"
    assert {found.key for found in span.attributes} >= {"messaging.message.id", "pulse.stream_id"}
    assert TEXT.encode() not in request.SerializeToString()


def test_scored_lines_are_messages_too() -> None:
    assert issubclass(ScoredMessage, type(line("w", "m")))
