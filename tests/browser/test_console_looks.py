"""Phone and desktop, light and dark, two languages, keyboard; and what the content policy demands."""

import ast
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from schemas.labels import EMOTIONS
from tests.browser.conftest import PHONE, OpenConsole
from tests.browser.console_page import ConsolePage
from tests.browser.fake_api import STATIC
from tests.browser.fake_server import FakeServer
from tests.browser.world import World

NOVA, RUSSIAN, HOSTILE_ID, PIXEL, *_ = (s for s in World().streams)


@pytest.mark.browser
def test_on_a_phone_each_part_is_a_page_and_nothing_overflows(
    open_console: OpenConsole, server: FakeServer
) -> None:
    console = open_console(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    console.open(server.link)
    expect(console.stream_cards.first).to_be_visible()
    expect(console.mark("chart-mood")).to_be_hidden()
    assert not console.overflows_sideways()
    console.stream_card(PIXEL).tap()
    expect(console.mark("stream-name")).to_have_text("pixelpunk")
    expect(console.mark("blind-banner")).to_be_visible()
    console.wait_charts()
    assert not console.overflows_sideways()
    console.go_to("alerts")
    expect(console.alert("c1blind")).to_be_visible()
    expect(console.mark("chart-mood")).to_be_hidden()
    assert not console.overflows_sideways()
    console.go_to("messages")
    expect(console.messages.first).to_be_visible()
    assert not console.overflows_sideways()
    console.go_to("stream")
    console.chart("mood").tap()
    expect(console.mark("message-range")).to_be_visible()


@pytest.mark.browser
def test_dark_follows_the_system_and_the_toggle_is_remembered(
    open_console: OpenConsole, server: FakeServer
) -> None:
    console = open_console(color_scheme="dark")
    console.open_and_wait(server.link)
    background = "() => getComputedStyle(document.body).backgroundColor"
    dark = console.page.evaluate(background)
    assert sum(map(int, re.findall(r"\d+", dark)[:3])) < 120
    console.mark("theme").click()
    assert console.page.evaluate(background) != dark
    console.page.reload()
    console.wait_charts()
    assert console.page.evaluate(background) != dark


@pytest.mark.browser
def test_russian_by_the_browsers_language_and_by_the_toggle(
    open_console: OpenConsole, server: FakeServer
) -> None:
    console = open_console(locale="ru-RU")
    console.open_and_wait(server.link)
    expect(console.mark("tab-alerts")).to_contain_text("Тревоги")
    expect(console.alert("a1raid")).to_contain_text("Рейд-атака")
    assert console.page.locator("html").get_attribute("lang") == "ru"
    console.mark("lang").click()
    expect(console.mark("tab-alerts")).to_contain_text("Alerts")
    assert console.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.browser
def test_zoom_by_drag_reset_by_follow_and_range_buttons(console: ConsolePage) -> None:
    console.drag_chart("mood", 0.3, 0.6)
    expect(console.mark("follow")).to_have_attribute("aria-pressed", "false")
    console.hover_chart("rate", 0.0)
    expect(console.mark("hover-time")).to_have_text(re.compile("^17:49"))
    console.mark("follow").click()
    console.mark("range-5").click()
    console.hover_chart("rate", 0.01)
    expect(console.mark("hover-time")).to_have_text(re.compile("^17:55"))


@pytest.mark.browser
def test_one_hover_reads_all_charts(console: ConsolePage) -> None:
    console.hover_chart("toxicity", 0.97)
    expect(console.mark("hover-time")).to_have_class(re.compile("is-hover"))
    for name in ("mood", "emotions", "toxicity", "rate"):
        expect(console.readout(name)).to_contain_text(re.compile(r"\d"))
    lines = console.page.locator(".u-cursor-x").evaluate_all(
        "lines => lines.map((line) => line.style.transform)"
    )
    assert len(set(lines)) == 1
    assert len(lines) == 4


@pytest.mark.browser
def test_everything_by_keyboard(console: ConsolePage) -> None:
    keys = console.page.keyboard
    keys.press("j")
    expect(console.stream_card(PIXEL)).to_have_attribute("aria-current", "true")
    keys.press("k")
    expect(console.stream_card(NOVA)).to_have_attribute("aria-current", "true")
    keys.press("/")
    keys.type("kvart")
    expect(console.stream_cards).to_have_count(1)
    for _ in range(5):
        keys.press("Backspace")
    console.wait_charts()
    console.chart("mood").focus()
    keys.press("End")
    keys.press("ArrowLeft")
    expect(console.mark("hover-time")).to_have_class(re.compile("is-hover"))
    keys.press("Enter")
    expect(console.mark("message-range")).to_be_visible()
    keys.press("?")
    expect(console.mark("help-dialog")).to_be_visible()
    keys.press("Escape")
    expect(console.mark("help-dialog")).to_be_hidden()


@pytest.mark.browser
def test_a_link_opens_the_same_stream(open_console: OpenConsole, server: FakeServer) -> None:
    console = open_console()
    console.open_and_wait(server.link)
    console.select(RUSSIAN)
    address = console.page.url
    console.page.goto("about:blank")
    console.page.goto(address)
    expect(console.mark("stream-name")).to_have_text("kvartirnik")


def test_files_hold_nothing_that_the_content_policy_forbids() -> None:
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=|https?://", page)
    for file in ours("*.js"):
        text = file.read_text()
        assert not re.search(
            r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|unsafeHTML|style=", text
        ), file
    for file in [*ours("*.js"), *ours("*.css")]:
        assert not re.search(r"https?://(?!www\.w3\.org)", file.read_text()), file


def test_both_languages_have_the_same_words() -> None:
    en, ru = (words(STATIC / "js" / "locales" / f"{name}.js") for name in ("en", "ru"))
    assert ru - en == set()
    assert en - ru == {"app.title"}


def test_the_pages_labels_are_the_contracts() -> None:
    text = (STATIC / "js" / "labels.js").read_text()
    assert tuple(ast.literal_eval(text[text.index("[") : text.rindex("]") + 1])) == EMOTIONS


def ours(pattern: str) -> list[Path]:
    found = [file for file in STATIC.rglob(pattern) if "vendor" not in file.parts]
    assert found
    return found


def words(file: Path) -> set[str]:
    return set(re.findall(r'^  "([\w.]+)":', file.read_text(), re.MULTILINE))
