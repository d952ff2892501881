import pytest
from pydantic import ValidationError

from infra.local.blueprint import JOBS, blueprint
from infra.local.control import part_names
from infra.local.parts.flink import configuration, size
from infra.local.settings import Stack, StackSettings
from schemas.endpoints import Endpoints


def names(stack: Stack, *only: str) -> list[str]:
    return [part.name for part in blueprint(stack, only).parts]


def test_everything_is_local_by_default():
    plan = blueprint(Stack(Endpoints()))
    assert {part.name for part in plan.parts} == {
        "kafka",
        "jobmanager",
        "taskmanager",
        "topics",
        "ray",
        "store",
    }
    assert plan.jobs == JOBS


def test_only_some_parts():
    stack = Stack(Endpoints())
    assert names(stack, "kafka", "flink") == ["kafka", "jobmanager", "taskmanager"]
    assert blueprint(stack, ("kafka",)).jobs == ()
    assert blueprint(stack, ("flink", "jobs")).jobs == JOBS


def test_an_unknown_part_is_refused_with_the_names_that_there_are():
    with pytest.raises(ValueError, match=r"no part is called grafana; there are kafka, flink"):
        blueprint(Stack(Endpoints()), ("grafana",))


def test_what_runs_elsewhere_is_not_started():
    stack = Stack(Endpoints(kafka_bootstrap="broker.example:9092", scorer_url="http://gpu.example:8000"))
    assert names(stack) == ["jobmanager", "taskmanager", "topics", "store"]


def test_part_names_from_commas_and_repetition():
    assert part_names(["kafka, flink", "ray"]) == ("kafka", "flink", "ray")


def test_flink_listens_on_loopback_only_and_keeps_its_checkpoints(tmp_path):
    stack = Stack(Endpoints(pulse_home=tmp_path, pulse_port_base=20_000))
    found = configuration(stack)
    hosts = [key for key in found if key.endswith(("bind-host", "bind-address", "rpc.address"))]
    assert len(hosts) >= 4
    assert {found[key] for key in hosts} == {"127.0.0.1"}
    assert found["rest.port"] == 20_081
    assert found["execution.checkpointing.externalized-checkpoint-retention"] == "RETAIN_ON_CANCELLATION"
    assert found["execution.checkpointing.dir"] == (tmp_path / "flink" / "checkpoints").as_uri()


@pytest.mark.parametrize(("text", "expected"), [("96m", 96 * 2**20), ("64k", 65_536), ("1g", 2**30)])
def test_memory_sizes(text, expected):
    assert size(text) == expected


def test_flink_exports_metrics_only_where_asked(tmp_path):
    endpoints = Endpoints(pulse_home=tmp_path)
    assert not [key for key in configuration(Stack(endpoints)) if key.startswith("metrics.reporter")]
    found = configuration(Stack(endpoints, StackSettings(flink_metrics_ports="9250-9251")))
    assert found["metrics.reporter.prom.port"] == "9250-9251"
    with pytest.raises(ValidationError, match="flink_metrics_ports"):
        StackSettings(flink_metrics_ports="all")


def test_the_broker_takes_further_java_options(tmp_path):
    settings = StackSettings(kafka_java_options="-javaagent:/opt/agent.jar=127.0.0.1:9404:'/a b/kafka.yml'")
    (broker,) = blueprint(Stack(Endpoints(pulse_home=tmp_path), settings), ("kafka",)).parts
    assert "-javaagent:/opt/agent.jar=127.0.0.1:9404:/a b/kafka.yml" in broker.command
    assert broker.command[-2] == "kafka.Kafka"
