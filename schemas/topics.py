"""The topics: their names, and the contracts in `topics/*.yaml`."""

from pathlib import Path
from typing import Final, Literal

import msgspec

from schemas.records import (
    Activity,
    Alert,
    ChatEvent,
    ChatMessage,
    DeadLetter,
    Erasure,
    FollowedChannel,
    Listener,
    Opinion,
    ScoreDifference,
    ScoredMessage,
    Window,
)

MESSAGES: Final = "chat.messages.v1"
EVENTS: Final = "chat.events.v1"
SCORED: Final = "chat.scored.v1"
WINDOWS: Final = "pulse.windows.v1"
ACTIVITY: Final = "pulse.activity.v1"
ALERTS: Final = "pulse.alerts.v1"
DEAD_LETTERS: Final = "chat.dlq.v1"
SHADOW: Final = "pulse.shadow.v1"
CHANNELS: Final = "pulse.channels.v1"
LISTENERS: Final = "pulse.listeners.v1"
ERASURES: Final = "pulse.erasures.v1"
OPINIONS: Final = "pulse.opinions.v1"

RECORD_TYPES: Final[dict[str, type[msgspec.Struct]]] = {
    MESSAGES: ChatMessage,
    EVENTS: ChatEvent,
    SCORED: ScoredMessage,
    WINDOWS: Window,
    ACTIVITY: Activity,
    ALERTS: Alert,
    DEAD_LETTERS: DeadLetter,
    SHADOW: ScoreDifference,
    CHANNELS: FollowedChannel,
    LISTENERS: Listener,
    ERASURES: Erasure,
    OPINIONS: Opinion,
}
"""The one record type of each topic."""

_FOLDER: Final = Path(__file__).parent / "topics"


class TopicContract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topic promises: who owns, writes and reads it, its schema, and how Kafka keeps it."""

    name: str
    description: str
    owner: str
    schema: str
    """Path of the JSON schema of its values, from `schemas/`."""
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    key: str
    """What a record is keyed by, in words; order holds among records of one key."""
    compatibility: Literal["backward"]
    partitions: int
    """At least so many; may grow, never shrink."""
    config: dict[str, str | int]
    """Kafka's topic configuration."""


class TopicContractError(ValueError):
    """A contract file that cannot be read; the message names the file and the field."""


def load_topics(folder: Path = _FOLDER) -> dict[str, TopicContract]:
    """The contracts of all topics by name, in order of their names.

    Raises:
        TopicContractError: a file is not a valid contract, or its name is not the topic's.
    """
    contracts = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            contract = msgspec.yaml.decode(path.read_bytes(), type=TopicContract)
        except msgspec.MsgspecError as error:
            raise TopicContractError(f"{path.name}: {error}") from None
        if path.name != f"{contract.name}.yaml":
            raise TopicContractError(
                f"{path.name}: holds the topic `{contract.name}`; file and name must agree"
            )
        contracts[contract.name] = contract
    return contracts
