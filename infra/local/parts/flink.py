"""Flink's session cluster: one JobManager and one TaskManager out of the apache-flink wheel.

The JVMs are started directly with the sizes of `infra/flink/conf/config.yaml`; the wheel's shell scripts
would start another JVM only to work those out.
"""

import importlib.util
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import httpx
import yaml

from infra.local.class_archive import WRITING_GRACE_S, ClassArchive
from infra.local.parts.http import HttpProbe
from infra.local.parts.part import Part, Probe, UnknowableError
from infra.local.settings import ROOT, Stack

CONF = ROOT / "infra" / "flink" / "conf"
JOBMANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASKMANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
PROMETHEUS = "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
TASKMANAGER_ID = "pulse-taskmanager"
_WRITING = threading.Lock()
UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}


def flink(stack: Stack) -> tuple[Part, Part]:
    """JobManager and TaskManager; they are started side by side and find each other."""
    url = stack.endpoints.flink_url.rstrip("/")
    rest = HttpProbe(url)

    async def jobmanager_lives() -> None:
        await rest.get("/overview")

    async def taskmanager_lives() -> None:
        try:
            managers = (await rest.json("/taskmanagers"))["taskmanagers"]
        except httpx.HTTPError as error:
            raise UnknowableError(f"the JobManager does not answer: {error!r}") from error
        if not any(manager["id"].startswith(TASKMANAGER_ID) for manager in managers):
            raise ConnectionError("the TaskManager has not registered with the JobManager")

    environment = flink_environment(stack) | {"MALLOC_ARENA_MAX": "2"}

    def part(
        name: str, main: str, sizes: tuple[str, ...], probe: Probe, ports: tuple[str, ...], address: str
    ) -> Part:
        command = _java(stack, main, sizes)
        archive = ClassArchive(stack, name, command)

        def prepare() -> None:
            write_configuration(stack)
            archive.prepare()

        return Part(
            name=name,
            command=(command[0], *archive.options(), *command[1:]),
            probe=probe,
            prepare=prepare,
            ended=archive.keep,
            environment=environment,
            ports=ports,
            address=address,
            stop_grace_s=10.0 + (WRITING_GRACE_S if archive.missing else 0.0),
            working_folder=ROOT,
        )

    worker = f"127.0.0.1:{stack.ports.get('flink-tm-rpc', 0)}"
    return (
        part(
            "jobmanager",
            JOBMANAGER,
            _jobmanager_sizes(_base()),
            jobmanager_lives,
            ("flink", "flink-rpc", "flink-blob"),
            url,
        ),
        part(
            "taskmanager",
            TASKMANAGER,
            _taskmanager_sizes(_base()),
            taskmanager_lives,
            ("flink-tm-rpc", "flink-tm-data"),
            worker,
        ),
    )


def flink_environment(stack: Stack) -> dict[str, str]:
    """Variables with which a Flink process or client of this stack finds configuration and jars."""
    return {
        "FLINK_HOME": str(wheel()),
        "FLINK_CONF_DIR": str(stack.flink / "conf"),
        "FLINK_LIB_DIR": str(stack.flink / "lib"),
        "FLINK_OPT_DIR": str(wheel() / "opt"),
        # The client's JVM lives for seconds: the optimising compiler would not pay.
        "JVM_ARGS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto",
        "FLINK_LOG_DIR": str(stack.logs),
        "FLINK_PLUGINS_DIR": str(wheel() / "plugins"),
    }


def write_configuration(stack: Stack) -> None:
    """Write `conf/` and fill `lib/` with links; both parts of the cluster call it, maybe at once."""
    with _WRITING:
        _write_configuration(stack)


def _write_configuration(stack: Stack) -> None:
    conf, lib = stack.flink / "conf", stack.flink / "lib"
    for folder in (conf, lib, stack.flink / "tmp", stack.checkpoints):
        folder.mkdir(parents=True, exist_ok=True)
    for name in ("log4j-console.properties", "log4j-cli.properties"):
        shutil.copyfile(CONF / name, conf / name)
    temporary = conf / "config.yaml.new"
    temporary.write_text(yaml.safe_dump(configuration(stack), width=10_000), encoding="utf-8")
    temporary.replace(conf / "config.yaml")
    jars = {jar.name: jar for folder in _jar_folders(stack) for jar in sorted(folder.glob("*.jar"))}
    jars |= {jar.name: jar for jar in (wheel() / "opt").glob("flink-python*.jar")}
    for link in lib.iterdir():
        if jars.get(link.name) != (link.readlink() if link.is_symlink() else None):
            link.unlink(missing_ok=True)
    for name, jar in jars.items():
        if not (lib / name).is_symlink():
            (lib / name).symlink_to(jar)


def configuration(stack: Stack) -> dict[str, Any]:
    """Flink's configuration: the file in `infra/flink/conf` and what this start adds."""
    ports = stack.ports
    return (
        _base()
        | _reporter(stack.settings.flink_metrics_ports)
        | {
            "rest.port": ports["flink"],
            "rest.bind-port": ports["flink"],
            "jobmanager.rpc.port": ports["flink-rpc"],
            "jobmanager.rpc.bind-port": ports["flink-rpc"],
            "blob.server.port": ports["flink-blob"],
            "taskmanager.rpc.port": ports["flink-tm-rpc"],
            "taskmanager.data.port": ports["flink-tm-data"],
            "taskmanager.data.bind-port": ports["flink-tm-data"],
            "taskmanager.resource-id": TASKMANAGER_ID,
            "io.tmp.dirs": str(stack.flink / "tmp"),
            "execution.checkpointing.dir": stack.checkpoints.as_uri(),
            "python.executable": str(stack.python),
            "python.client.executable": str(stack.python),
        }
    )


def _reporter(metrics_ports: str) -> dict[str, Any]:
    """Settings of Flink's Prometheus reporter, which is among the wheel's plugins."""
    if not metrics_ports:
        return {}
    return {
        "metrics.reporters": "prom",
        "metrics.reporter.prom.factory.class": PROMETHEUS,
        "metrics.reporter.prom.port": metrics_ports,
    }


def wheel() -> Path:
    """The folder of the installed pyflink package, which is a whole Flink distribution."""
    found = importlib.util.find_spec("pyflink")
    if found is None or found.origin is None:
        raise RuntimeError("apache-flink is not installed in this environment: ./pulse setup")
    return Path(found.origin).parent


def size(text: str) -> int:
    """Bytes of a Flink memory size such as `96m`."""
    number, unit = re.fullmatch(r"(\d+)([kmg])", text).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


def _base() -> dict[str, Any]:
    return flatten(yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8")))


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flink's dotted keys out of nested YAML."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        flat |= flatten(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat


def _jar_folders(stack: Stack) -> tuple[Path, ...]:
    return (wheel() / "lib", stack.jars / "flink")


def _java(stack: Stack, main: str, sizes: tuple[str, ...]) -> tuple[str, ...]:
    return (
        stack.settings.java,
        *sizes,
        "-XX:+ExitOnOutOfMemoryError",
        *str(_base()["env.java.opts.all"]).split(),
        f"-Dlog4j.configurationFile=file:{stack.flink / 'conf' / 'log4j-console.properties'}",
        "-cp",
        f"{stack.flink / 'lib'}/*",
        main,
        "--configDir",
        str(stack.flink / "conf"),
    )


def _jobmanager_sizes(base: dict[str, Any]) -> tuple[str, ...]:
    memory = "jobmanager.memory"
    return (
        "-XX:+UseSerialGC",
        "-Xms64m",
        f"-Xmx{base[f'{memory}.heap.size']}",
        f"-XX:MaxMetaspaceSize={base[f'{memory}.jvm-metaspace.size']}",
    )


def _taskmanager_sizes(base: dict[str, Any]) -> tuple[str, ...]:
    memory = "taskmanager.memory"
    heap = size(base[f"{memory}.framework.heap.size"]) + size(base[f"{memory}.task.heap.size"])
    direct = sum(
        size(base[f"{memory}.{name}"])
        for name in ("framework.off-heap.size", "task.off-heap.size", "network.max")
    )
    return (
        "-XX:+UseParallelGC",
        "-Xms128m",
        f"-Xmx{heap}",
        f"-XX:MaxDirectMemorySize={direct}",
        f"-XX:MaxMetaspaceSize={base[f'{memory}.jvm-metaspace.size']}",
    )
