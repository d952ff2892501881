"""For tests of sources: a clock without pauses, a Kafka client without Kafka, the suite all sources pass."""

from connectors.core.testing.clock import HeldClock, ManualClock
from connectors.core.testing.conformance import SourceConformance
from connectors.core.testing.kafka import FakeKafka

__all__ = ["FakeKafka", "HeldClock", "ManualClock", "SourceConformance"]
