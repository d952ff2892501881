"""The pace of job `detect`: a fetch must bring less than it asks for, or it does not wait."""

import re

import pytest

from pipelines.flink.detect import SOURCES
from pipelines.flink.statements import statement
from schemas.topics import load_topics


@pytest.mark.parametrize(("table", "topic"), SOURCES.items())
def test_a_fetch_of_all_partitions_never_reaches_the_bytes_it_asks_for(table: str, topic: str) -> None:
    sql = statement("detect_source", table=table, topic=topic, kafka_bootstrap="localhost:1")
    options = dict(re.findall(r"'properties\.([\w.]+)' = '(\d+)'", sql))
    partitions = load_topics()[topic].partitions
    whole_fetch = partitions * int(options["max.partition.fetch.bytes"])
    assert whole_fetch < int(options["fetch.min.bytes"]) <= int(options["fetch.max.bytes"])
    assert whole_fetch * 1_000 // int(options["fetch.max.wait.ms"]) < 20_000_000  # bytes a second, compressed
