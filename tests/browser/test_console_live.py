"""First load, live updates, alerts as they come, and what happens when the API goes away."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.console_page import ConsolePage
from tests.browser.fake_server import FakeServer
from tests.browser.world import World

pytestmark = pytest.mark.browser

NOVA, RUSSIAN, HOSTILE, PIXEL, MARIMBA, FORSEN, LOFI = (s for s in World().streams)
GREEN, RED = (7, 108, 74), (200, 50, 79)


def test_first_load_lists_streams_by_attention_and_draws_the_first(console: ConsolePage) -> None:
    ids = console.stream_cards.evaluate_all("cards => cards.map((card) => card.dataset.stream)")
    assert ids[:3] == [NOVA, PIXEL, RUSSIAN]
    assert ids[-1] == LOFI
    expect(console.mark("stream-name")).to_have_text("nova_live")
    expect(console.figure("mood")).to_contain_text("very negative")
    assert console.drawn_share("mood", GREEN) > 0.001
    assert console.drawn_share("mood", RED) > 0.001
    assert "token" not in console.page.url


def test_live_frames_move_the_charts_and_the_figures(console: ConsolePage, server: FakeServer) -> None:
    clock = console.mark("hover-time")
    rate = console.figure("rate").locator("b")
    before, rate_before = clock.inner_text(), rate.inner_text()
    server.tick(90)
    expect(clock).not_to_have_text(before)
    expect(rate).not_to_have_text(rate_before)


def test_an_alert_appears_without_a_reload(console: ConsolePage, server: FakeServer, world: World) -> None:
    row = world.raise_alert(NOVA, "spam.links", "high", "31 accounts posted the same link.", alert_id="new1")
    server.push("alerts", [row])
    expect(console.alert("new1").locator("[data-test=alert-summary]")).to_have_text(
        "31 accounts posted the same link."
    )
    expect(console.page.locator('[data-test=lane-alert][data-alert="new1"]')).to_be_visible()
    expect(console.page.locator("[aria-live=assertive]")).to_have_text(
        "New alert, High: Link spam, nova_live"
    )
    server.tick()
    expect(console.page).to_have_title(re.compile(r"^\(5\)"))


def test_a_newer_revision_closes_an_alert_and_an_older_one_does_not_reopen_it(
    console: ConsolePage, server: FakeServer, world: World
) -> None:
    old = dict(world.alerts["a2toxic"])
    closed = world.raise_alert(
        NOVA,
        "mood.toxic",
        "high",
        "Over.",
        alert_id="a2toxic",
        state="closed",
        ended_at=world.now(world.streams[NOVA]),
    )
    server.push("alerts", [closed])
    expect(console.alert("a2toxic")).to_contain_text("Closed")
    server.push("alerts", [old])
    newer = world.raise_alert(NOVA, "hype", "low", "Marker.", alert_id="marker")
    server.push("alerts", [newer])
    expect(console.alert("marker")).to_be_visible()
    expect(console.alert("a2toxic")).to_contain_text("Closed")


def test_reconnects_and_catches_up_after_the_api_restarts(
    open_console: OpenConsole, server: FakeServer, world: World
) -> None:
    console = open_console(expect_failed_requests=True)
    console.open_and_wait(server.link)
    clock = console.mark("hover-time").inner_text()
    server.stop()
    console.wait_connection("reconnecting")
    expect(console.page.get_by_role("alert")).to_contain_text("What you see is old")
    world.advance(120)
    world.raise_alert(
        NOVA, "attack.wave", "critical", "Raised while nobody was connected.", alert_id="missed"
    )
    server.start()
    console.wait_connection("live")
    expect(console.page.get_by_role("alert")).to_have_count(0)
    expect(console.alert("missed")).to_be_visible()
    expect(console.mark("hover-time")).not_to_have_text(clock)
    server.tick(30)
    expect(console.figure("freshness")).to_contain_text("fresh")


def test_a_fast_replay_leaves_no_holes_behind(console: ConsolePage, server: FakeServer, world: World) -> None:
    console.select(FORSEN)
    console.wait_charts()
    clock = console.mark("hover-time")
    for minutes in range(1, 5):
        world.advance(119)
        server.tick(1)
        expect(clock).to_have_text(re.compile(f"^{25 + 2 * minutes - 1}:5|^{25 + 2 * minutes}:00"))
    for share in (0.6, 0.7, 0.8, 0.9):
        console.hover_chart("mood", share)
        expect(console.readout("mood")).to_contain_text("to")


def test_a_failing_query_says_so_and_can_be_tried_again(
    open_console: OpenConsole, server: FakeServer
) -> None:
    server.failing.add("windows")
    console = open_console(expect_failed_requests=True)
    console.open(server.link)
    note = console.page.locator(".chart-note")
    expect(note).to_contain_text("the store is busy")
    server.failing.clear()
    note.get_by_role("button").click()
    console.wait_charts()
    expect(note).to_have_count(0)


def test_without_streams_it_says_how_to_start_one_and_shows_it_when_it_comes(
    open_console: OpenConsole, server: FakeServer, world: World
) -> None:
    hidden, world.streams = world.streams, {}
    console = open_console()
    console.open(server.link)
    expect(console.mark("notice-empty")).to_contain_text("./pulse demo")
    expect(console.mark("notice-empty")).to_contain_text("pulse replay FILE")
    console.wait_connection("live")
    world.streams = hidden
    server.tick()
    console.wait_charts()
    expect(console.mark("notice-empty")).to_have_count(0)


def test_without_its_token_it_says_where_to_get_it(open_console: OpenConsole, server: FakeServer) -> None:
    console = open_console(expect_failed_requests=True)
    console.open(f"{server.address}/")
    expect(console.mark("notice-denied")).to_contain_text("token")


def test_an_api_that_fails_at_first_is_asked_again(open_console: OpenConsole, server: FakeServer) -> None:
    server.failing.add("streams")
    console = open_console(expect_failed_requests=True)
    console.open(server.link)
    expect(console.mark("notice-error")).to_contain_text("./pulse status")
    server.failing.clear()
    console.wait_charts()
