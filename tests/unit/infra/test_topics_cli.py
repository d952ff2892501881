from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli import topics
from infra.cli.kafka_access import KafkaUnreachableError
from infra.cli.topics import TopicState, compare, read_topics, reconcile
from schemas.topics import load_topics


class FakeAdmin:
    """A cluster's topics, changed as kafka-python's admin client would change them."""

    def __init__(self, **there: TopicState) -> None:
        self.topics = dict(there)
        self.calls: list[str] = []

    def list_topics(self) -> list[str]:
        return [*self.topics, "__consumer_offsets"]

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        return [{"name": name, "partitions": [{}] * self.topics[name].partitions} for name in names]

    def describe_configs(self, resources: list[Any], config_filter: str) -> dict[str, Any]:
        assert config_filter == "all"
        return {
            "TOPIC": {
                resource.name: {
                    key: {"value": value} for key, value in self.topics[resource.name].config.items()
                }
                for resource in resources
            }
        }

    def create_topics(self, new: dict[str, dict[str, Any]], wait_for_metadata: bool) -> None:
        self.calls.append("create")
        for name, options in new.items():
            self.topics[name] = TopicState(options["num_partitions"], dict(options["configs"]))

    def create_partitions(self, grown: dict[str, int]) -> None:
        self.calls.append("partitions")
        for name, count in grown.items():
            assert count > self.topics[name].partitions
            self.topics[name] = TopicState(count, self.topics[name].config)

    def alter_configs(self, resources: list[Any]) -> None:
        self.calls.append("config")
        for resource in resources:
            state = self.topics[resource.name]
            self.topics[resource.name] = TopicState(state.partitions, state.config | resource.configs)


def _apply(admin: FakeAdmin) -> list[str]:
    differences = compare(load_topics(), read_topics(admin))  # type: ignore[arg-type]
    reconcile(admin, differences)  # type: ignore[arg-type]
    return [difference.text for difference in differences]


def test_an_empty_cluster_gets_all_topics_once() -> None:
    admin = FakeAdmin()
    assert len(_apply(admin)) == len(load_topics())
    assert set(admin.topics) == set(load_topics())
    assert _apply(admin) == []
    assert admin.calls == ["create"]


def test_partitions_grow_and_never_shrink() -> None:
    admin = FakeAdmin()
    _apply(admin)
    config = admin.topics["chat.messages.v1"].config
    admin.topics["chat.messages.v1"] = TopicState(2, config)
    admin.topics["chat.events.v1"] = TopicState(99, admin.topics["chat.events.v1"].config)
    assert _apply(admin) == ["~ chat.messages.v1: partitions 2 -> 8"]
    assert admin.topics["chat.messages.v1"].partitions == 8
    assert admin.topics["chat.events.v1"].partitions == 99


def test_settings_are_set_and_others_left_alone() -> None:
    admin = FakeAdmin()
    _apply(admin)
    was = admin.topics["chat.dlq.v1"]
    changed = was.config | {"retention.ms": "1", "cleanup.policy": "delete"}
    admin.topics["chat.dlq.v1"] = TopicState(was.partitions, changed)
    assert _apply(admin) == ["~ chat.dlq.v1: retention.ms 1 -> 604800000"]
    assert admin.topics["chat.dlq.v1"].config == was.config | {"cleanup.policy": "delete"}


def test_topics_of_others_are_left_alone() -> None:
    admin = FakeAdmin(theirs=TopicState(1, {}))
    _apply(admin)
    assert admin.topics["theirs"] == TopicState(1, {})


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeAdmin:
    admin = FakeAdmin()

    class Context:
        def __enter__(self) -> FakeAdmin:
            return admin

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(topics, "admin_client", lambda _: Context())
    return admin


def test_dry_run_changes_nothing(cluster: FakeAdmin) -> None:
    result = CliRunner().invoke(topics.app, ["apply", "--dry-run"])
    assert result.exit_code == 0
    assert result.stdout.count("+ ") == len(load_topics())
    assert not cluster.topics


def test_apply_prints_the_differences_and_then_none(cluster: FakeAdmin) -> None:
    first = CliRunner().invoke(topics.app, ["apply"])
    assert "+ chat.messages.v1: 8 partitions" in first.stdout
    second = CliRunner().invoke(topics.app, ["apply"])
    assert (second.exit_code, second.stdout) == (0, "")


def test_without_kafka_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise KafkaUnreachableError("Kafka does not answer at h:1; start it with `pulse up`")

    monkeypatch.setattr(topics, "admin_client", refuse)
    result = CliRunner().invoke(topics.app, ["apply"])
    assert result.exit_code == 1
    assert "pulse up" in result.stderr
    assert result.stdout == ""
