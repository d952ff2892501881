"""What a local stack is made of: its folders, ports and sizes."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.endpoints import Endpoints

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: pulse, pyproject.toml, infra/."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")

INTERNAL_OFFSETS = {
    "kafka-controller": 1093,
    "flink-rpc": 123,
    "flink-blob": 124,
    "flink-tm-rpc": 125,
    "flink-tm-data": 126,
}
"""Ports that only the parts themselves use, counted from PULSE_PORT_BASE."""


class StackSettings(BaseSettings):
    """Settings of the supervisor, from the environment with the prefix PULSE_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="PULSE_")

    java: str = Field(default="java", description="The Java 17 runtime to start Kafka and Flink with.")
    start_timeout_s: float = Field(
        default=300.0, gt=0, description="A part that is not healthy after this long counts as failed."
    )
    probe_interval_s: float = Field(default=5.0, gt=0, description="Seconds between two probes of a part.")
    probe_failures: int = Field(
        default=6, ge=1, description="Probes in a row that may fail before a running part is restarted."
    )
    failures_to_report: int = Field(
        default=4, ge=1, description="Starts in a row that may fail before `pulse up` gives up on a part."
    )
    backoff_max_s: float = Field(default=15.0, gt=0, description="Longest pause before a restart.")
    class_archives: bool = Field(
        default=True, description="Keep the JVMs' class data for a quicker next start (40-100 MB each)."
    )
    flink_metrics_ports: str = Field(
        default="",
        pattern=r"^(\d+(-\d+)?)?$",
        description="Ports of Flink's Prometheus reporter, as 9250-9251: one for each of its processes. It"
        " listens on all interfaces, so it is off by default (empty).",
    )
    kafka_java_options: str = Field(
        default="",
        description="Further options of the broker's JVM, such as the agent of Prometheus' JMX exporter.",
    )
    log_megabytes: int = Field(default=20, ge=1, description="A part's log is rotated at this size.")


class Stack:
    """Folders and ports of one local stack.

    A part whose address in `Endpoints` is not on loopback is somebody else's: it is used, not started.
    """

    def __init__(self, endpoints: Endpoints | None = None, settings: StackSettings | None = None) -> None:
        self.endpoints = endpoints or Endpoints()
        self.settings = settings or StackSettings()
        self.home = self.endpoints.pulse_home.expanduser().resolve()
        self.logs = self.home / "logs"
        self.run = self.home / "run"
        self.jars = ROOT / ".pulse" / "jars"
        self.kafka = self.home / "kafka"
        self.flink = self.home / "flink"
        self.checkpoints = self.flink / "checkpoints"
        self.python = Path(sys.executable)

    @property
    def ports(self) -> dict[str, int]:
        """Every port that the local parts listen on, by name; external parts have none."""
        base = self.endpoints.pulse_port_base
        found = {
            name: port
            for name, address in (
                ("kafka", f"//{self.endpoints.kafka_bootstrap.split(',')[0]}"),
                ("scorer", self.endpoints.scorer_url),
                ("api", self.endpoints.api_url),
                ("flink", self.endpoints.flink_url),
            )
            if (port := local_port(address)) is not None
        }
        internal = {name: base + offset for name, offset in INTERNAL_OFFSETS.items()}
        return found | {name: port for name, port in internal.items() if _part(name) in found}

    def environment(self) -> dict[str, str]:
        """Variables by which another process finds this stack."""
        e = self.endpoints
        return {
            "PULSE_HOME": str(self.home),
            "PULSE_PORT_BASE": str(e.pulse_port_base),
            "KAFKA_BOOTSTRAP": e.kafka_bootstrap,
            "CLICKHOUSE_URL": e.clickhouse_url,
            "SCORER_URL": e.scorer_url,
            "API_URL": e.api_url,
            "FLINK_URL": e.flink_url,
        }

    def make_folders(self) -> None:
        """Create the folders that every part expects; `run` is for the owner alone (it holds a token)."""
        for folder in (self.logs, self.kafka, self.flink, self.checkpoints):
            folder.mkdir(parents=True, exist_ok=True)
        self.run.mkdir(parents=True, exist_ok=True, mode=0o700)


def local_port(address: str) -> int | None:
    """The port of an address on loopback, else None."""
    parts = urlsplit(address)
    if parts.hostname not in LOOPBACK:
        return None
    return parts.port or 80


def _part(port_name: str) -> str:
    """The public port that an internal port belongs to: `flink-rpc` to `flink`."""
    return port_name.split("-")[0]
