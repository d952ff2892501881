"""What the commands that speak to Kafka share: clients that fail fast and say where they looked."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

CLIENT_ID = "pulse-cli"
CONNECT_TIMEOUT_MS = 8_000


class KafkaUnreachableError(OSError):
    """No broker answers; the message says where and what to do."""


@contextmanager
def admin_client(bootstrap: str) -> Iterator[KafkaAdminClient]:
    """An admin client, closed afterwards.

    Raises:
        KafkaUnreachableError: no broker answers within 8 s.
    """
    try:
        client = KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","),
            client_id=CLIENT_ID,
            bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
            request_timeout_ms=30_000,
        )
    except KafkaError as error:
        raise unreachable(bootstrap, error) from error
    try:
        yield client
    finally:
        client.close()


def unreachable(bootstrap: str, error: Exception) -> KafkaUnreachableError:
    """The error for people."""
    return KafkaUnreachableError(
        f"Kafka does not answer at {bootstrap} ({type(error).__name__}); "
        "start it with `pulse up`, or set KAFKA_BOOTSTRAP"
    )


def missing_topics(bootstrap: str, wanted: Iterable[str]) -> list[str]:
    """Which of these topics Kafka does not have.

    Raises:
        KafkaUnreachableError: no broker answers.
    """
    with admin_client(bootstrap) as client:
        there = set(client.list_topics())
    return [topic for topic in wanted if topic not in there]
