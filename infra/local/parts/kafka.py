"""The Kafka broker: one node in KRaft mode, from its Maven jars."""

import asyncio
import shlex
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from kafka.admin import KafkaAdminClient

from infra.local.class_archive import WRITING_GRACE_S, ClassArchive
from infra.local.parts.part import Part
from infra.local.settings import ROOT, Stack

CONF = ROOT / "infra" / "local" / "conf"
PROBE_TIMEOUT_MS = 4000
FORMAT = ("-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format", "--ignore-formatted")


def kafka(stack: Stack) -> Part:
    """The broker part: storage is formatted once, later starts go on with it."""
    properties = stack.kafka / "server.properties"
    java = (
        stack.settings.java,
        "-cp",
        f"{stack.jars / 'kafka'}/*",
        f"-Dlog4j2.configurationFile={CONF / 'kafka-log4j2.properties'}",
        "-Djava.awt.headless=true",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
    )

    broker = (
        "-Xms96m",
        "-Xmx256m",
        "-XX:MaxMetaspaceSize=128m",
        *shlex.split(stack.settings.kafka_java_options),
        "kafka.Kafka",
        str(properties),
    )
    archive = ClassArchive(stack, "kafka", (*java, *broker))

    def prepare() -> None:
        archive.prepare()
        properties.write_text(broker_properties(stack), encoding="utf-8")
        if not (stack.kafka / "data" / "meta.properties").exists():
            _format(java, properties)

    return Part(
        name="kafka",
        command=(java[0], *archive.options(), *java[1:], *broker),
        probe=KafkaProbe(stack.endpoints.kafka_bootstrap),
        prepare=prepare,
        ended=archive.keep,
        environment={"MALLOC_ARENA_MAX": "2"},
        ports=("kafka", "kafka-controller"),
        address=stack.endpoints.kafka_bootstrap,
        stop_grace_s=20.0 + (WRITING_GRACE_S if archive.missing else 0.0),
    )


def broker_properties(stack: Stack) -> str:
    """The broker's configuration: the file in `conf/` and what this machine adds."""
    broker, controller = stack.ports["kafka"], stack.ports["kafka-controller"]
    return (CONF / "kafka.properties").read_text(encoding="utf-8") + "\n".join(
        (
            f"listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{broker}",
            f"controller.quorum.voters=1@127.0.0.1:{controller}",
            f"log.dirs={stack.kafka / 'data'}",
            "",
        )
    )


class KafkaProbe:
    """Asks the broker for the cluster's nodes; keeps its client, which is dear to make."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client: KafkaAdminClient | None = None

    async def __call__(self) -> None:
        """Ask.

        Raises:
            kafka.errors.KafkaError: It does not answer within four seconds.
        """
        await asyncio.to_thread(self._ask)

    def _ask(self) -> None:
        client, self._client = self._client, None
        if client is None:
            client = KafkaAdminClient(
                bootstrap_servers=self._bootstrap.split(","),
                client_id="pulse-supervisor",
                request_timeout_ms=PROBE_TIMEOUT_MS,
                bootstrap_timeout_ms=PROBE_TIMEOUT_MS,
            )
        try:
            brokers = client.describe_cluster()["brokers"]
        except BaseException:
            client.close()
            raise
        self._client = client
        if not brokers:
            raise ConnectionError("Kafka answers but has no broker registered yet")


def _format(java: tuple[str, ...], properties: Path) -> None:
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    done = subprocess.run(
        [*java, *FORMAT, "-t", cluster, "-c", str(properties)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"Kafka's storage could not be formatted: {(done.stderr or done.stdout).strip()}")
