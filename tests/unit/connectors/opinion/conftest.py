"""A fake endpoint and what speaks to it."""

import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from connectors.core.clock import SystemClock
from connectors.opinion.asking import Asking
from connectors.opinion.endpoint import Endpoint
from connectors.opinion.limits import Limits
from connectors.opinion.metrics import OpinionMetrics
from connectors.opinion.settings import OpinionSettings
from tests.unit.connectors.opinion.fake_llm import FakeLlm

KEY = "sk-a-very-secret-key"


class Desk:
    """Everything that asks, wired to a fake endpoint."""

    def __init__(self, llm: FakeLlm, client: httpx.AsyncClient, settings: OpinionSettings) -> None:
        self.llm, self.settings, self.clock = llm, settings, SystemClock()
        self.registry = CollectorRegistry()
        self.metrics = OpinionMetrics(self.registry)
        self.limits = Limits(self.clock, settings.requests_per_minute, settings.tokens_per_minute)
        self.endpoint = Endpoint(settings, client, self.clock)
        self.asking = Asking(
            self.endpoint, self.limits, self.metrics, self.clock, settings.attempts, random.Random(7)
        )

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"pulse_opinion_{name}", labels) or 0.0


@pytest.fixture
async def llm() -> AsyncIterator[FakeLlm]:
    async with FakeLlm() as fake:
        yield fake


@pytest.fixture
async def desk(llm: FakeLlm) -> AsyncIterator[Callable[..., Desk]]:
    """Makes a desk with these settings."""
    async with httpx.AsyncClient() as client:

        def make(**changes: Any) -> Desk:
            fields: dict[str, Any] = {
                "url": llm.base,
                "model": "tiny",
                "api_key": KEY,
                "requests_per_minute": 1_000,
                "tokens_per_minute": 10_000_000,
                "timeout_s": 5,
                "attempts": 2,
                "batch_wait_s": 0.01,
            }
            return Desk(llm, client, OpinionSettings(**(fields | changes)))

        yield make
