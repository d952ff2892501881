from pathlib import Path

import pytest

from connectors.core.kafka_producer import KafkaProducer
from connectors.core.testing import FakeKafka
from infra.cli import connect


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeKafka:
    """What `pulse connect` writes to."""
    fake = FakeKafka()
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    monkeypatch.setattr(connect, "missing_topics", lambda bootstrap, wanted: [])
    monkeypatch.setattr(connect.KafkaProducer, "connect", lambda bootstrap: KafkaProducer(fake))
    return fake
