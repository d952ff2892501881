"""The senders of all targets of a configuration, over one HTTP client."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from connectors.core.clock import Clock
from connectors.notify.config import NotifyConfig
from connectors.notify.message import Sender
from connectors.notify.telegram import Limits, TelegramSender
from connectors.notify.webhook import WebhookSender


@asynccontextmanager
async def open_senders(
    config: NotifyConfig,
    secrets: dict[str, str],
    page_url: str,
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Mapping[str, Sender]]:
    """A sender for each target by name, closed with the context.

    The HTTP libraries log addresses, and a bot's token is part of its address: their logs below warnings
    are turned off.
    """
    for library in ("httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.WARNING)
    limits = Limits(clock)
    async with httpx.AsyncClient(transport=transport, follow_redirects=False) as client:
        senders: dict[str, Sender] = {}
        for target in config.targets:
            if target.kind == "telegram":
                senders[target.name] = TelegramSender(target, client, secrets, page_url, clock, limits)
            else:
                senders[target.name] = WebhookSender(target, client, secrets, page_url, clock)
        yield senders
