import os
import socket

import pytest

from infra.local import ports
from infra.local.settings import Stack, local_port
from schemas.endpoints import Endpoints


@pytest.fixture
def listener():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_taken_port_is_told_with_name_number_and_holder(listener):
    (found,) = ports.taken({"kafka": listener})
    assert str(found).startswith(f"port {listener} (kafka) is taken by pid {os.getpid()} (")


def test_a_free_port_is_not_told():
    with socket.socket() as once:
        once.bind(("127.0.0.1", 0))
        number = once.getsockname()[1]
    assert ports.taken({"kafka": number}) == []


def test_every_port_follows_from_the_base():
    first = Stack(Endpoints(pulse_port_base=20_000)).ports
    second = Stack(Endpoints(pulse_port_base=30_000)).ports
    assert first["kafka"] == 21_092
    assert first["api"] == 20_080
    assert {name: port + 10_000 for name, port in first.items()} == second
    assert len(set(first.values())) == len(first)


def test_parts_elsewhere_have_no_ports_here():
    elsewhere = Endpoints(kafka_bootstrap="broker.example:9092", flink_url="http://flink.example:8081")
    assert set(Stack(elsewhere).ports) == {"scorer", "api"}


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("http://127.0.0.1:18080", 18080),
        ("http://localhost", 80),
        ("//[::1]:9092", 9092),
        ("http://10.0.0.1:18080", None),
        ("//broker.example:9092", None),
    ],
)
def test_local_port(address, port):
    assert local_port(address) == port
