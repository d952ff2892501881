"""`pulse topics`: Kafka's topics as the contracts in schemas/topics say."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from kafka.admin import ConfigResource, KafkaAdminClient
from kafka.errors import KafkaError
from rich.console import Console

from infra.cli.kafka_access import admin_client
from schemas.endpoints import Endpoints
from schemas.topics import TopicContract, load_topics

app = typer.Typer(add_completion=False, no_args_is_help=True)
_errors = Console(stderr=True, highlight=False)


@app.callback()
def main() -> None:
    """Create and reconcile Kafka topics."""


@app.command()
def apply(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the differences, change nothing.")] = False,
    replication: Annotated[
        int, typer.Option(help="Replicas of new topics; -1 is the cluster's default.", min=-1)
    ] = -1,
) -> None:
    """Bring Kafka's topics to their contracts in schemas/topics/*.yaml.

    Creates topics that are missing, adds partitions, sets configuration. Never deletes a topic, a partition
    or a setting that the contract does not name. Prints one line for each difference; nothing when all is
    as it should be. Adding partitions moves keys: records of a channel written before and after may lie in
    two partitions.
    """
    bootstrap = Endpoints().kafka_bootstrap
    try:
        with admin_client(bootstrap) as client:
            differences = compare(load_topics(), read_topics(client))
            for difference in differences:
                typer.echo(difference.text)
            if not dry_run:
                reconcile(client, differences, replication)
    except (KafkaError, OSError) as error:
        _errors.print(f"[red]topics not applied:[/red] {error}", soft_wrap=True)
        raise typer.Exit(1) from None
    done = "differences; nothing was changed" if dry_run else "differences, all applied"
    _errors.print(f"{len(differences)} {done}" if differences else "all topics are as their contracts say")


@dataclass(frozen=True)
class TopicState:
    """A topic as it is."""

    partitions: int
    config: dict[str, str]


@dataclass(frozen=True)
class Difference:
    """What one topic lacks: all of it, partitions, or settings."""

    topic: str
    text: str
    create: TopicContract | None = None
    partitions: int | None = None
    config: dict[str, str] = field(default_factory=dict)


def compare(wanted: dict[str, TopicContract], there: dict[str, TopicState]) -> list[Difference]:
    """What would have to change, topic by topic, so that Kafka keeps the contracts."""
    found = []
    for name, contract in wanted.items():
        state = there.get(name)
        if state is None:
            settings = ", ".join(f"{key}={value}" for key, value in contract.config.items())
            text = f"+ {name}: {contract.partitions} partitions, {settings}"
            found.append(Difference(name, text, create=contract))
            continue
        if state.partitions < contract.partitions:
            text = f"~ {name}: partitions {state.partitions} -> {contract.partitions}"
            found.append(Difference(name, text, partitions=contract.partitions))
        for key, value in contract.config.items():
            if state.config.get(key) != str(value):
                text = f"~ {name}: {key} {state.config.get(key, '(default)')} -> {value}"
                found.append(Difference(name, text, config={key: str(value)}))
    return found


def read_topics(client: KafkaAdminClient) -> dict[str, TopicState]:
    """All topics of the cluster that are not its own, with every setting's value in force."""
    names = [name for name in client.list_topics() if not name.startswith("__")]
    if not names:
        return {}
    partitions = {topic["name"]: len(topic["partitions"]) for topic in client.describe_topics(names)}
    resources = [ConfigResource("TOPIC", name) for name in names]
    described: dict[str, Any] = client.describe_configs(resources, config_filter="all")
    configs: dict[str, Any] = next(iter(described.values()), {})
    return {
        name: TopicState(
            partitions[name], {key: str(entry["value"]) for key, entry in configs.get(name, {}).items()}
        )
        for name in names
    }


def reconcile(client: KafkaAdminClient, differences: list[Difference], replication: int = -1) -> None:
    """Make the changes.

    Raises:
        KafkaError: Kafka refused one; those before it are made.
    """
    new = {
        difference.topic: {
            "num_partitions": difference.create.partitions,
            "replication_factor": replication,
            "configs": {key: str(value) for key, value in difference.create.config.items()},
        }
        for difference in differences
        if difference.create
    }
    if new:
        client.create_topics(new, wait_for_metadata=True)
    if grown := {d.topic: d.partitions for d in differences if d.partitions}:
        client.create_partitions(grown)
    changed: dict[str, dict[str, str]] = {}
    for difference in differences:
        changed.setdefault(difference.topic, {}).update(difference.config)
    if resources := [ConfigResource("TOPIC", name, config) for name, config in changed.items() if config]:
        client.alter_configs(resources)
