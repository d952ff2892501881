"""Blind must never look like calm: what is not known is marked, in the lists, the figures and the charts."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.console_page import ConsolePage
from tests.browser.fake_server import FakeServer
from tests.browser.world import World

pytestmark = pytest.mark.browser

NOVA, RUSSIAN, HOSTILE, PIXEL, MARIMBA, FORSEN, LOFI = (s for s in World().streams)
HATCH, DOTS = (107, 114, 128), (143, 86, 0)


def test_a_silent_stream_is_called_blind_everywhere(console: ConsolePage) -> None:
    expect(console.stream_card(PIXEL)).to_contain_text("Blind")
    expect(console.stream_card(PIXEL)).to_contain_text("no sign for")
    console.select(PIXEL)
    expect(console.mark("blind-banner")).to_contain_text("A still chart here is not a calm chat")
    expect(console.figure("freshness")).to_contain_text("silent")


def test_sources_that_are_not_heard_are_listed_with_their_reasons(console: ConsolePage) -> None:
    listed = console.mark("source")
    expect(listed).to_have_count(2)
    expect(listed.nth(0)).to_contain_text(re.compile("suspended.*Blocked.*has been suspended", re.DOTALL))
    expect(listed.nth(1)).to_contain_text(re.compile("pixelpunk.*Degraded.*no PONG for 10 s", re.DOTALL))
    console.select(PIXEL)
    expect(console.mark("source-banner")).to_contain_text("no line and no PONG for 10 s")
    console.select(NOVA)
    expect(console.mark("source-banner")).to_have_count(0)
    expect(console.mark("missed")).to_have_text(re.compile("2 gaps, 41 s missed in 24 h"))


def test_a_source_that_recovers_leaves_the_list(console: ConsolePage, server: FakeServer) -> None:
    expect(console.mark("source")).to_have_count(2)
    server.push("sources", [server.world.source("twitch:pixelpunk", "live")])
    expect(console.mark("source")).to_have_count(1)


def test_the_end_of_a_silent_streams_charts_is_hatched(console: ConsolePage) -> None:
    console.select(PIXEL)
    console.wait_charts()
    console.hover_chart("mood", 0.98)
    expect(console.readout("mood")).to_have_text("no data")
    expect(console.readout("rate")).to_contain_text(re.compile(r"messages\s*–"))
    assert console.drawn_share("rate", HATCH) > 0.003


def test_a_stream_without_scores_has_no_mood_but_keeps_its_rate(console: ConsolePage) -> None:
    expect(console.stream_card(MARIMBA)).to_contain_text("unknown")
    console.select(MARIMBA)
    expect(console.mark("unscored-banner")).to_contain_text("the mood is unknown")
    expect(console.figure("mood").locator("b")).to_have_text("?")
    expect(console.figure("coverage")).to_contain_text("21%")
    console.hover_chart("mood", 0.5)
    expect(console.readout("mood")).to_have_text("not scored")
    expect(console.readout("rate")).to_contain_text("/s")


def test_gaps_in_the_past_break_the_line_and_are_told_apart(console: ConsolePage) -> None:
    now, span = 1500, 900
    at = lambda second: (second - (now - span)) / span  # noqa: E731
    console.hover_chart("mood", at(872))
    expect(console.readout("mood")).to_have_text("no data")
    console.hover_chart("mood", at(1010))
    expect(console.readout("mood")).to_have_text("not scored")
    expect(console.readout("rate")).to_contain_text("/s")
    assert console.drawn_share("mood", HATCH) > 0.002
    assert console.drawn_share("mood", DOTS) > 0.0005


def test_recordings_are_shown_as_such_in_their_own_time(console: ConsolePage, server: FakeServer) -> None:
    expect(console.stream_card(FORSEN)).to_contain_text("Recording")
    expect(console.stream_card(FORSEN)).to_contain_text("fresh")
    console.select(FORSEN)
    console.wait_charts()
    expect(console.mark("time-mode")).to_contain_text("Elapsed")
    server.tick(2)
    expect(console.mark("hover-time")).to_have_text("25:00")
    expect(console.figure("freshness")).to_contain_text("fresh")


def test_an_ended_recording_is_shown_whole(console: ConsolePage) -> None:
    console.select(LOFI)
    console.wait_charts()
    expect(console.mark("range-all")).to_have_attribute("aria-pressed", "true")
    expect(console.figure("freshness")).to_contain_text("ended")
    expect(console.mark("blind-banner")).to_have_count(0)
    console.hover_chart("mood", 0.03)
    expect(console.readout("mood")).to_contain_text("to")
