"""What hiding removed lines costs the store's inserts: one JSON line.

Blocks of distinct scored lines are inserted as the sink does, in turns into a store without the view that
looks for removed lines, with it, and with it while orders are recent. CPU seconds of this process count (the
engine runs in it), so that a shared machine tells the truth.

    python tests/load/removal_inserts.py [--blocks 12] [--rows 10000] [--orders 2000]
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))

from connectors.clickhouse.routes import EVENTS, SCORED, Row
from connectors.clickhouse.writer import StoreWriter
from infra.local.acceptance.machine import machine
from schemas.codecs import encode
from tests.fixtures.store import NOW_MS, TestStore, event, line, scored

VIEW: Final = "feed_removed_late_lines"


def block(number: int, rows: int) -> list[Row]:
    """Rows of one insert: lines of 40 channels by 5,000 authors."""
    made = []
    for row in range(rows):
        channel = f"twitch:channel{row % 40}"
        message = line(
            "bench",
            f"{number}-{row}-0123456789abcdef",
            channel=channel,
            stream_id=f"{channel}/1",
            author=f"k1.{row % 5_000:032x}",
            text=f"line {row} of block {number}, as long as chat lines are",
        )
        made.append(Row(SCORED, 0, row, None, b"k", encode(scored(message))))
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=12, help="inserts of each kind")
    parser.add_argument("--rows", type=int, default=10_000, help="rows an insert")
    parser.add_argument("--orders", type=int, default=2_000, help="recent removals in the third case")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="removals"))
    seconds = {"without": 0.0, "with": 0.0, "with_orders": 0.0}
    with TestStore.open(folder) as store:
        writer = StoreWriter(store.client)
        number = 0
        for turn in range(-1, options.blocks):
            for case in seconds:
                if case == "without":
                    store.client.command(f"DETACH TABLE {VIEW}")
                if case == "with_orders":
                    store.put(
                        EVENTS,
                        *(
                            event(
                                "bench",
                                f"b{order}",
                                kind="ban",
                                channel=f"twitch:channel{order % 40}",
                                target_author=f"k1.{order:032x}",
                                at=NOW_MS - 1,
                            )
                            for order in range(options.orders)
                        ),
                    )
                rows = block(number, options.rows)
                number += 1
                began = time.process_time()
                writer.write("landing_messages", rows)
                if turn >= 0:  # the first of each kind warms up
                    seconds[case] += time.process_time() - began
                if case == "without":
                    store.client.command(f"ATTACH TABLE {VIEW}")
                if case == "with_orders":
                    store.client.command("TRUNCATE TABLE removal_orders")
    shutil.rmtree(folder)
    rates = {case: round(options.blocks * options.rows / spent) for case, spent in seconds.items()}
    print(json.dumps({"rows_per_cpu_s": rates, **vars(options), "machine": machine()}))  # noqa: T201


if __name__ == "__main__":
    main()
