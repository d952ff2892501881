"""On what, and with which releases, figures were measured."""

import platform
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psutil

RELEASES: Final = (
    "pulse-chat",
    "apache-flink",
    "ray",
    "chdb",
    "clickhouse-connect",
    "confluent-kafka",
    "onnxruntime",
    "numpy",
)


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, memory in MB (2**20 bytes), system, Python."""
    return {
        "processor": _processor(),
        "cores": len(psutil.Process().cpu_affinity()),
        "memory_mb": psutil.virtual_memory().total >> 20,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def versions(jars: Path) -> dict[str, str]:
    """Releases of the packages that matter, and of Kafka by the name of its jar."""
    found = {}
    for name in RELEASES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    for jar in jars.glob("kafka/kafka_2.13-*.jar"):
        found["kafka"] = jar.stem.removeprefix("kafka_2.13-")
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
