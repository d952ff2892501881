"""From a point or an alert to the chat lines behind it; hurtful and hostile texts."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.console_page import ConsolePage
from tests.browser.fake_server import FakeServer
from tests.browser.world import HOSTILE, TOXIC, World

pytestmark = pytest.mark.browser

NOVA, RUSSIAN, HOSTILE_ID, *_ = (s for s in World().streams)


def test_a_click_on_a_chart_shows_the_messages_of_that_moment(console: ConsolePage) -> None:
    console.hover_chart("mood", 0.5)
    moment = console.mark("hover-time").inner_text()
    console.click_chart("mood", 0.5)
    expect(console.mark("message-range")).to_contain_text(moment[:5])
    first, last = console.mark("message-range").inner_text().split(" – ")
    expect(console.messages.first).to_be_visible()
    times = console.page.locator("[data-test=message] time").all_inner_texts()
    assert times == sorted(times, reverse=True)
    assert all(first.strip() <= time <= last.strip() for time in times)
    console.mark("clear-range").click()
    expect(console.mark("message-range")).to_have_count(0)


def test_a_closed_alert_says_how_the_mood_recovered(
    console: ConsolePage, server: FakeServer, world: World
) -> None:
    for name, outcome, told in (
        ("back", {"recovered": True, "recovery_s": 41.0}, "back to usual 41 s after the warning"),
        ("not", {"recovered": False, "recovery_s": None}, "not back to usual when the alert closed"),
        ("calm", {"recovered": True, "recovery_s": 0}, "stayed as usual throughout"),
    ):
        ended = world.now(world.streams[NOVA])
        row = world.raise_alert(
            NOVA, "hype", "low", "Busy.", alert_id=name, state="closed", ended_at=ended, **outcome
        )
        server.push("alerts", [row])
        console.open_alert(name)
        expect(console.alert(name)).to_contain_text(told)


def test_a_mark_is_kept_and_shown(console: ConsolePage, server: FakeServer, world: World) -> None:
    console.open_alert("a3hype")
    wrong = console.alert("a3hype").locator("[data-test=mark-wrong]")
    with console.page.expect_response("**/marks") as answered:
        wrong.click()
    assert answered.value.ok
    expect(wrong).to_have_attribute("aria-pressed", "true")
    with console.page.expect_response("**/marks") as answered:
        console.alert("a3hype").locator("[data-test=mark-muted]").click()
    assert answered.value.ok
    assert [mark["verdict"] for mark in world.marks["a3hype"]] == ["muted", "wrong"]


def test_an_alert_jumps_to_its_time_and_shows_its_messages(console: ConsolePage) -> None:
    console.open_alert("a3hype")
    expect(console.mark("follow")).to_have_attribute("aria-pressed", "false")
    expect(console.page.locator('[data-test=lane-alert][data-alert="a3hype"]')).to_have_class(
        re.compile("is-selected")
    )
    console.alert("a3hype").locator("[data-test=evidence]").click()
    expect(console.mark("message-range")).to_contain_text("17:43:35")
    console.mark("follow").click()
    expect(console.mark("follow")).to_have_attribute("aria-pressed", "true")


def test_why_shows_the_numbers_that_crossed(console: ConsolePage) -> None:
    console.open_alert("a1raid")
    expect(console.alert("a1raid")).to_contain_text("Detected after 7 s")
    expect(console.alert("a1raid").locator("dl")).to_contain_text("z score")
    expect(console.alert("a1raid").locator("dl")).to_contain_text("8.94")
    expect(console.alert("a1raid")).to_contain_text("Turn shield mode on")


def test_hurtful_texts_are_not_in_the_page_until_revealed(console: ConsolePage) -> None:
    console.open_alert("a1raid")
    console.alert("a1raid").locator("[data-test=evidence]").click()
    expect(console.mark("reveal").first).to_be_visible()
    assert TOXIC not in console.page.content()
    hidden = console.mark("reveal").count()
    console.mark("reveal").first.click()
    expect(console.page.get_by_text(TOXIC)).to_have_count(1)
    console.mark("hide").click()
    expect(console.page.get_by_text(TOXIC)).to_have_count(0)
    console.mark("reveal").nth(1).focus()
    console.page.keyboard.press("Enter")
    expect(console.page.get_by_text(TOXIC)).to_have_count(1)
    assert console.mark("reveal").count() == hidden - 1


def test_filters_and_pages(console: ConsolePage) -> None:
    console.click_chart("mood", 0.3)
    expect(console.messages.first).to_be_visible()
    console.mark("clear-range").click()
    expect(console.messages).to_have_count(50)
    console.mark("more").click()
    expect(console.messages).to_have_count(100)
    console.mark("filter-toxicity").select_option("0.7")
    expect(console.texts).to_have_count(0)
    expect(console.mark("reveal").first).to_be_visible()
    console.mark("filter-toxicity").select_option("0")
    console.mark("message-search").fill("КОНЦЕРТ")
    expect(console.texts.first).to_have_text("Это лучший концерт, спасибо!")
    assert set(console.texts.all_inner_texts()) == {"Это лучший концерт, спасибо!"}
    console.mark("message-search").fill("nobody wrote this")
    expect(console.page.get_by_text("No messages match these filters.")).to_be_visible()
    console.mark("message-search").fill("")
    console.mark("filter-emotion").select_option("anger")
    expect(console.mark("reveal").first).to_be_visible()
    expect(console.texts).to_have_count(0)


def test_hostile_texts_are_shown_as_text(console: ConsolePage) -> None:
    console.select(HOSTILE_ID)
    console.show_messages()
    shown = set(console.texts.evaluate_all("texts => texts.map((text) => text.textContent)"))
    assert {HOSTILE[0], HOSTILE[1], HOSTILE[2]} <= shown
    assert any(text.startswith("\u202egnp.exe") for text in shown)
    assert console.page.locator("[data-test=message] img, [data-test=message] script").count() == 0
    assert "pwned" not in console.page.title()
    assert not console.overflows_sideways()


def test_hostile_names_and_summaries_are_shown_as_text(
    console: ConsolePage, server: FakeServer, world: World
) -> None:
    row = world.raise_alert(NOVA, "hype", "low", HOSTILE[0], alert_id="evil", playbook=HOSTILE[1])
    row["why"][HOSTILE[0]] = HOSTILE[1]
    server.push("alerts", [row])
    console.open_alert("evil")
    expect(console.alert("evil").locator("[data-test=alert-summary]")).to_have_text(HOSTILE[0])
    world.streams[RUSSIAN].title = HOSTILE[1]
    server.tick()
    console.select(RUSSIAN)
    expect(console.page.locator(".stream-subtitle")).to_have_text(HOSTILE[1])
    assert "pwned" not in console.page.title()
