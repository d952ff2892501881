"""Messages per second of a scorer on recorded chat: one core, from text to answer, and from prepared text."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pipelines.core.text.plain import prepare_lines
from schemas.scoring import REQUEST
from serving.scorer.backend import ChatModel

FILES: Final = ("channel_e_en", "channel_d_zh", "channel_h_fr", "channel_i_ko", "channel_a")
"""Recordings in the shared data whose first lines are scored: English twice, Chinese, French, Korean."""
BATCH_ROWS: Final = 256
LINES_PER_FILE: Final = 4_000
ROUNDS: Final = 3


@dataclass(frozen=True)
class Throughput:
    """Messages per second of one core."""

    messages: int
    whole: float
    """From the request's batch to the answer's: text preparation, hashing, network, language."""
    preparation: float
    """Text preparation alone."""
    prepared: float
    """From prepared text on: hashing, network, language, answer."""


def throughput(
    scorer: ChatModel,
    folder: Path,
    batch_rows: int = BATCH_ROWS,
    lines_per_file: int = LINES_PER_FILE,
    clock: Callable[[], float] = time.process_time,
) -> Throughput:
    """Best of ROUNDS over real lines; nothing is kept between rounds.

    `clock` counts this process's own CPU time; where a GPU computes, it must be that of the wall.

    Raises:
        FileNotFoundError: If `folder` (that of the shared data) lacks one of FILES.
    """
    records = [
        record for name in FILES for record in _records(folder / "logs" / f"{name}.jsonl.gz", lines_per_file)
    ]
    batches = [_batch(records[start : start + batch_rows]) for start in range(0, len(records), batch_rows)]
    prepared = [prepare_lines(batch["text"], batch["emotes"]) for batch in batches]
    pairs = list(zip(batches, prepared, strict=True))
    return Throughput(
        len(records),
        *(
            _rate(len(records), work, clock)
            for work in (
                lambda: [scorer.score(batch) for batch in batches],
                lambda: [prepare_lines(batch["text"], batch["emotes"]) for batch in batches],
                lambda: [scorer.score_prepared(batch, lines) for batch, lines in pairs],
            )
        ),
    )


def _rate(messages: int, work: Callable[[], object], clock: Callable[[], float]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        start = clock()
        work()
        seconds.append(clock() - start)
    return messages / min(seconds)


def _records(path: Path, most: int) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from (json.loads(line) for line in islice(lines, most))


def _batch(records: list[dict[str, Any]]) -> pa.RecordBatch:
    rows = [
        {"id": str(index), "text": record["text"], "emotes": record.get("emotes") or None}
        for index, record in enumerate(records)
    ]
    return pa.RecordBatch.from_pylist(
        [{field.name: row.get(field.name) for field in REQUEST} for row in rows], schema=REQUEST
    )
