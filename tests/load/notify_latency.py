"""From an alert handed to the notifier to the target that has it: `python -m tests.load.notify_latency`.

Alerts come at random (Poisson) on many channels; the target is an HTTP server on this machine that answers
at once, or (`--errors`) with a 500 now and then. Prints one JSON line. Kafka's part (about 0.3 s at most, by
the consumer's settings) is not in the figure.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import tempfile
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from connectors.core.clock import SystemClock
from connectors.notify.metrics import NotifyMetrics
from connectors.notify.notifier import Notifier
from connectors.notify.outbox import Outbox
from connectors.notify.senders import open_senders
from tests.unit.connectors.notify.fake_server import Answer, fake_server
from tests.unit.connectors.notify.notices import alert, config, rows


async def measure(seconds: float, per_second: float, channels: int, errors: float) -> dict[str, object]:
    """Run once; latencies in seconds by the wall clock of this machine."""
    clock, dice, handed = SystemClock(), random.Random(7), dict[str, float]()
    stopping = asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        async with fake_server(Answer()) as server:
            chosen = config(targets=[{"name": "hook", "kind": "webhook", "url": f"{server.url}/hook"}])
            outbox = Outbox(Path(folder) / "outbox.sqlite3")
            async with open_senders(chosen, {}, "http://page", clock) as senders:
                notifier = Notifier(chosen, senders, outbox, clock, NotifyMetrics(CollectorRegistry()))
                running = asyncio.create_task(notifier.run(stopping))
                began = time.time()
                while time.time() - began < seconds:
                    await asyncio.sleep(dice.expovariate(per_second))
                    number = len(handed)
                    channel = f"twitch:c{dice.randrange(channels)}"
                    if dice.random() < errors:
                        server.script.append(Answer(500))
                    handed[f"a{number}"] = time.time()
                    told = alert(alert_id=f"a{number}", channel=channel, channels=(f"{channel}/1",))
                    notifier.take(rows(told, appended_at=clock.now_ms(), first_offset=number))
                while outbox.waiting():
                    await asyncio.sleep(0.01)
                stopping.set()
                await running
            outbox.close()
    arrived: dict[str, float] = {}
    for request, at in zip(server.requests, server.arrivals, strict=True):
        for one in request.json()["alerts"]:
            arrived[one["alert_id"]] = at  # the last attempt is the accepted one
    took = sorted(arrived[name] - at for name, at in handed.items())
    return {
        "alerts": len(took),
        "requests": len(server.requests),
        "p50_s": round(took[len(took) // 2], 3),
        "p99_s": round(took[int(len(took) * 0.99)], 3),
        "max_s": round(took[-1], 3),
    }


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--per-second", type=float, default=20)
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--errors", type=float, default=0.0, help="share of requests answered with 500")
    given = vars(parser.parse_args())
    figures = asyncio.run(measure(**given))
    print(json.dumps({**figures, **given, "cpus": os.cpu_count(), "machine": platform.machine()}))  # noqa: T201


if __name__ == "__main__":
    main()
