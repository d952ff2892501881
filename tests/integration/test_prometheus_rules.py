"""Real Prometheus and Alertmanager on the rules as they are: a broken notifier's alerts fire and resolve.

The notifier's own metrics are exported by this process; it needs no stack. Takes over a minute: the rule
waits for one.
"""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry, start_http_server

from connectors.notify.metrics import NotifyMetrics
from tests.unit.connectors.notify.fake_server import Answer, FakeServer, fake_server

RULES = Path(__file__).parents[2] / "infra" / "prometheus" / "parts.rules.yml"
PROGRAMS = ("prometheus", "prometheus-alertmanager")

pytestmark = pytest.mark.skipif(
    not all(shutil.which(program) for program in PROGRAMS),
    reason="apt-get install prometheus prometheus-alertmanager",
)


class Notifier:
    """The notifier's /metrics, which can be taken down and brought back on the same port."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = NotifyMetrics(self.registry)
        self.metrics.dead.labels("moderators")
        self._server, self._thread = start_http_server(0, addr="127.0.0.1", registry=self.registry)
        self.port = self._server.server_port

    def down(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def up(self) -> None:
        self._server, self._thread = start_http_server(self.port, addr="127.0.0.1", registry=self.registry)


@contextmanager
def process(folder: Path, *command: str) -> Iterator[None]:
    name = Path(command[0]).name
    with (folder / f"{name}.log").open("wb") as log:
        started = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            started.terminate()
            started.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write(path: Path, content: object) -> str:
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


@contextmanager
def monitoring(folder: Path, notifier: Notifier, receiver: str) -> Iterator[str]:
    """Both programs on loopback; gives Prometheus' address."""
    alerts, rules = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    route = {"receiver": "on-call", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s"}
    hook = {"name": "on-call", "webhook_configs": [{"url": f"{receiver}/on-call", "send_resolved": True}]}
    routing = write(folder / "alertmanager.yml", {"route": route, "receivers": [hook]})
    jobs = [
        {"job_name": "pulse-notifier", "static_configs": [{"targets": [f"127.0.0.1:{notifier.port}"]}]},
    ]
    scraping = write(
        folder / "prometheus.yml",
        {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts]}]}]},
            "scrape_configs": jobs,
        },
    )
    with ExitStack() as stack:
        stack.enter_context(
            process(
                folder,
                "prometheus-alertmanager",
                f"--config.file={routing}",
                f"--storage.path={folder / 'alerts'}",
                f"--web.listen-address={alerts}",
                "--cluster.listen-address=",
            )
        )
        stack.enter_context(
            process(
                folder,
                "prometheus",
                f"--config.file={scraping}",
                f"--storage.tsdb.path={folder / 'series'}",
                f"--web.listen-address={rules}",
            )
        )
        yield f"http://{rules}"


@pytest.fixture
async def on_call() -> AsyncIterator[FakeServer]:
    async with fake_server(Answer()) as server:
        yield server


async def told(server: FakeServer, alert: str, status: str) -> dict[str, str]:
    """Wait until the receiver is told so; gives the alert's annotations."""
    async with asyncio.timeout(240):
        while True:
            server.came.clear()
            for request in server.requests:
                for one in request.json()["alerts"]:
                    if (one["labels"]["alertname"], one["status"]) == (alert, status):
                        return dict(one["annotations"])
            await server.came.wait()


async def scraped(prometheus: str, expression: str) -> None:
    """Wait until Prometheus knows something of that expression."""
    async with httpx.AsyncClient() as client, asyncio.timeout(120):
        while True:
            try:
                answer = await client.get(f"{prometheus}/api/v1/query", params={"query": expression})
                if answer.is_success and answer.json()["data"]["result"]:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)


async def test_a_notifier_that_gives_up_and_dies_is_told_and_its_return_too(
    tmp_path: Path, on_call: FakeServer
) -> None:
    notifier = Notifier()
    with monitoring(tmp_path, notifier, on_call.url) as prometheus:
        await scraped(prometheus, 'pulse_notify_dead_alerts_total{target="moderators"} == 0')
        notifier.metrics.dead.labels("moderators").inc(3)
        annotations = await told(on_call, "PulseNotifierGivesUp", "firing")
        assert annotations["runbook"] == "infra/runbooks/sre/notifier-gives-up.md"

        notifier.down()
        annotations = await told(on_call, "PulseNotifierDown", "firing")
        assert annotations["runbook"] == "infra/runbooks/sre/notifier-down.md"

        notifier.up()
        await told(on_call, "PulseNotifierDown", "resolved")
    notifier.down()
