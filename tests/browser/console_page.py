"""The console as a person uses it: knows the page's marks, nothing of where its data comes from."""

import re

from playwright.sync_api import Locator, Page, expect


class ConsolePage:
    """One open page. Waits for what it is asked, never for time."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("console", lambda m: self.problems.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def mark(self, name: str) -> Locator:
        return self.page.locator(f"[data-test={name}]")

    def open(self, link: str) -> None:
        self.page.goto(link)

    def open_and_wait(self, link: str) -> None:
        """Opens the page and waits until it is live and shows the charts of a stream."""
        self.open(link)
        self.wait_connection("live")
        self.wait_charts()

    def wait_connection(self, state: str, timeout_s: float = 20) -> None:
        expect(self.mark("connection")).to_have_attribute("data-state", state, timeout=timeout_s * 1000)

    def wait_charts(self) -> None:
        """Waits until the shown stream's figures of some bucket are read out."""
        expect(self.page.locator("[data-test=readout-rate] b").first).to_have_text(_HAS_DIGIT, timeout=20_000)

    def go_to(self, name: str) -> None:
        """On a phone: streams, stream, alerts or messages."""
        self.mark(f"nav-{name}").click()

    @property
    def stream_cards(self) -> Locator:
        return self.mark("stream")

    def stream_card(self, stream_id: str) -> Locator:
        return self.page.locator(f'[data-test=stream][data-stream="{stream_id}"]')

    def select(self, stream_id: str) -> None:
        self.stream_card(stream_id).click()
        expect(self.stream_card(stream_id)).to_have_attribute("aria-current", "true")

    def figure(self, name: str) -> Locator:
        return self.mark(f"figure-{name}")

    def chart(self, name: str) -> Locator:
        return self.mark(f"chart-{name}")

    def readout(self, name: str) -> Locator:
        return self.mark(f"readout-{name}")

    def hover_chart(self, name: str, share: float) -> None:
        """Points at the chart, `share` of its width from the left."""
        box = self.chart(name).bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + 50 + (box["width"] - 60) * share, box["y"] + box["height"] / 2)

    def click_chart(self, name: str, share: float) -> None:
        self.hover_chart(name, share)
        self.page.mouse.down()
        self.page.mouse.up()

    def drag_chart(self, name: str, start: float, end: float) -> None:
        self.hover_chart(name, start)
        self.page.mouse.down()
        self.hover_chart(name, (start + end) / 2)
        self.hover_chart(name, end)
        self.page.mouse.up()

    def alert(self, alert_id: str) -> Locator:
        return self.page.locator(f'[data-test=alert][data-alert="{alert_id}"]')

    def open_alert(self, alert_id: str) -> None:
        self.alert(alert_id).locator("button").first.click()

    @property
    def messages(self) -> Locator:
        return self.mark("message")

    @property
    def texts(self) -> Locator:
        return self.mark("message-text")

    def show_messages(self) -> None:
        self.mark("tab-messages").click()
        expect(self.messages.first).to_be_visible()

    def drawn_share(self, name: str, colour: tuple[int, int, int], tolerance: int = 40) -> float:
        """Share of the chart's pixels near `colour`: what the canvas really shows."""
        share = self.chart(name).locator("canvas").evaluate(_COUNT_PIXELS, [list(colour), tolerance])
        return float(share)

    def overflows_sideways(self) -> bool:
        return bool(
            self.page.evaluate(
                "() => { const d = document.documentElement; window.scrollTo(50, 0);"
                " return window.scrollX > 0 || d.scrollWidth > d.clientWidth; }"
            )
        )


_HAS_DIGIT = re.compile(r"\d")
_COUNT_PIXELS = """(canvas, [colour, tolerance]) => {
  const blank = new OffscreenCanvas(canvas.width, canvas.height);
  const copy = blank.getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let near = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 60 && colour.every((c, k) => Math.abs(c - data[i + k]) < tolerance)) near += 1;
  }
  return near / (data.length / 4);
}"""
