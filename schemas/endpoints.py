"""Where the other parts are: the few settings by which one machine becomes a cluster."""

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PORT_BASE = 18000
"""First of the ports of a local stack where PULSE_PORT_BASE says nothing else."""

PORT_OFFSETS = {"scorer_url": 0, "api_url": 80, "flink_url": 81, "kafka_bootstrap": 1092}
"""Each public port of the local stack, counted from the base."""


def _default_home() -> Path:
    """`.pulse` in the checkout that this code runs from; in the current folder where it is installed."""
    checkout = Path(__file__).resolve().parents[1]
    return (checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()) / ".pulse"


class Endpoints(BaseSettings):
    """Addresses of the parts, from the environment; the defaults are those of `pulse up`."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    pulse_home: Path = Field(
        default_factory=_default_home, description="Folder of everything that a local stack writes."
    )
    pulse_port_base: int = Field(
        default=PORT_BASE,
        ge=1024,
        le=62000,
        description="First port of a local stack; an address that is set goes before it.",
    )
    kafka_bootstrap: str = Field(default="127.0.0.1:19092", description="Kafka brokers, host:port[,…].")
    clickhouse_url: str = Field(
        default="", description="ClickHouse server (http[s]://…); empty: chDB under pulse_home/store."
    )
    scorer_url: str = Field(default="http://127.0.0.1:18000", description="Ray Serve's model endpoint.")
    api_url: str = Field(default="http://127.0.0.1:18080", description="REST, WebSocket and page.")
    flink_url: str = Field(default="http://127.0.0.1:18081", description="REST of the Flink JobManager.")

    @model_validator(mode="before")
    @classmethod
    def _from_port_base(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Count the addresses that are not set from `pulse_port_base`."""
        try:
            base = int(values.get("pulse_port_base") or PORT_BASE)
        except ValueError:
            return values  # the field's own check names the mistake
        for name, offset in PORT_OFFSETS.items():
            scheme = "http://" if name.endswith("_url") else ""
            values.setdefault(name, f"{scheme}127.0.0.1:{base + offset}")
        return values
