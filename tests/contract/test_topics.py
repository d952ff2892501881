"""The topic contracts: complete, consistent with the record types, and able to hold what is written."""

from pathlib import Path

import pytest

from schemas.codecs import MAX_RECORD_BYTES
from schemas.topics import (
    CHANNELS,
    DEAD_LETTERS,
    ERASURES,
    LISTENERS,
    MESSAGES,
    RECORD_TYPES,
    TopicContract,
    TopicContractError,
    load_topics,
)

SCHEMAS = Path(__file__).parents[2] / "schemas"
ROOMS = {"connectors", "pipelines", "serving", "dashboards", "infra"}
TOPICS = load_topics()


def test_contracts_and_record_types_name_the_same_topics() -> None:
    assert set(TOPICS) == set(RECORD_TYPES)


@pytest.mark.parametrize("contract", TOPICS.values(), ids=TOPICS)
def test_contract_is_complete(contract: TopicContract) -> None:
    assert (SCHEMAS / contract.schema).is_file()
    assert contract.schema == f"messages/{contract.name}.schema.json"
    assert contract.description.endswith(".")
    assert contract.owner in ROOMS
    assert contract.producers
    assert contract.consumers
    for party in (*contract.producers, *contract.consumers):
        assert party.split("/")[0] in ROOMS, party
    assert contract.key
    assert contract.partitions >= 1


@pytest.mark.parametrize("contract", TOPICS.values(), ids=TOPICS)
def test_retention_holds_and_is_carried_out(contract: TopicContract) -> None:
    # segments close by the broker's time: replayed history is neither dropped at once nor kept for ever
    assert contract.config["message.timestamp.type"] == "LogAppendTime"
    assert int(contract.config["segment.ms"]) <= 600_000
    if contract.config.get("cleanup.policy") != "compact":
        assert int(contract.config["retention.ms"]) >= 86_400_000


def test_the_lists_of_channels_and_erasures_are_kept_until_they_change() -> None:
    assert TOPICS[CHANNELS].config["cleanup.policy"] == "compact"
    assert TOPICS[ERASURES].config["cleanup.policy"] == "compact"
    assert {TOPICS[name].partitions for name in (CHANNELS, LISTENERS, ERASURES)} == {1}


def test_topics_hold_the_largest_record() -> None:
    assert int(TOPICS[MESSAGES].config["max.message.bytes"]) > MAX_RECORD_BYTES
    assert int(TOPICS[DEAD_LETTERS].config["max.message.bytes"]) == 16 * 1024 * 1024


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a.b.v1\n", "missing required field"),
        ("", "a.b.v1.yaml"),
        ("name: [", "a.b.v1.yaml"),
        ("name: a.b.v1\nsurprise: 1\n", "unknown field"),
    ],
)
def test_a_bad_contract_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "a.b.v1.yaml").write_text(text)
    with pytest.raises(TopicContractError, match=told):
        load_topics(tmp_path)


def test_a_contract_must_stand_in_its_topics_file(tmp_path: Path) -> None:
    text = (SCHEMAS / "topics" / f"{MESSAGES}.yaml").read_text()
    (tmp_path / "other.v1.yaml").write_text(text)
    with pytest.raises(TopicContractError, match="must agree"):
        load_topics(tmp_path)
