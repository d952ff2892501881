"""Chromium, the fake API, and pages on it. Without Chromium the tests are skipped, in CI they fail."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.console_page import ConsolePage
from tests.browser.fake_server import FakeServer
from tests.browser.world import World

ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NEEDED = "Chromium is missing; on Debian or Ubuntu: apt-get install -y chromium"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

OpenConsole = Callable[..., ConsolePage]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NEEDED)
        pytest.skip(NEEDED)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGS))
        yield browser
        browser.close()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def server(world: World) -> Iterator[FakeServer]:
    server = FakeServer(world)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def open_console(chromium: Browser) -> Iterator[OpenConsole]:
    """Opens pages in contexts of their own; afterwards, none may have logged an error or a warning.

    A test that takes the network away says so by `expect_failed_requests`: those are logged by the browser.
    """
    opened: list[tuple[Any, ConsolePage, bool]] = []

    def open_page(*, expect_failed_requests: bool = False, **options: Any) -> ConsolePage:
        settings = {"viewport": DESKTOP, "locale": "en-US", "timezone_id": "Europe/Moscow"} | options
        context = chromium.new_context(**settings)
        page = ConsolePage(context.new_page())
        opened.append((context, page, expect_failed_requests))
        return page

    yield open_page
    problems = []
    for context, page, network in opened:
        problems += [p for p in page.problems if not (network and _is_network(p))]
        context.close()
    assert problems == []


def _is_network(problem: str) -> bool:
    return "Failed to load resource" in problem or "WebSocket connection to" in problem


@pytest.fixture
def console(open_console: OpenConsole, server: FakeServer) -> ConsolePage:
    """A desktop page, live, on the fake API."""
    page = open_console()
    page.open_and_wait(server.link)
    return page
