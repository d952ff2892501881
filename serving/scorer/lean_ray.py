"""A small local Ray node: what a scorer on one machine does not use is not started.

Ray starts its dashboard's head, the autoscaler's monitor and the log monitor even with
`include_dashboard=False`: three Python processes, 185 MB and several seconds of two cores (Ray 2.60).
`ray.init` has no switches for them, so they are set where it builds its node; pyproject.toml pins Ray.
"""

import functools
import inspect
import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from socket import socket
from typing import Any, Final
from unittest.mock import patch

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

NODE_START_S: Final = 150.0
"""Longest that the node may take to register."""

# Ray reads these when it is imported.
ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Its name says Windows and OSX; it makes 127.0.0.1 the node's address, the only one that gRPC listens on.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_enable_metrics_collection": "0",
    "RAY_task_events_report_interval_ms": "0",
    # Idle workers started ahead of any need: 70 MB each.
    "RAY_prestart_worker_first_driver": "0",
    "RAY_enable_worker_prestart": "0",
    # Five seconds are too few for a proxy that starts beside Kafka and Flink on two cores.
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
    "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "30",
    # The controller looks at its one deployment ten times a second: 3 % of a core.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
}

AGENT_PORTS: Final = ("metrics_agent_port", "dashboard_agent_listen_port", "runtime_env_agent_port")


def start_ray(cpus: int, object_store_bytes: int) -> None:
    """Start a node of this machine's own and connect to it; `ray.shutdown` ends it.

    Args:
        cpus: Cores that Ray may hand out.
        object_store_bytes: Size of the shared-memory store (Ray's least is 75 MiB).
    """
    os.environ.update(ENVIRONMENT)
    import ray
    from ray._private import node, parameter, services

    export_port, *rest = _free_ports(1 + len(AGENT_PORTS))
    agent_ports = dict(zip(AGENT_PORTS, rest, strict=True))
    params: Any = parameter.RayParams
    lean = functools.partial(params, include_log_monitor=False, no_monitor=True, **agent_ports)
    # Ray gives its raylet a fixed 30 s to register; a machine that starts everything at once may need more.
    patient = retry(
        stop=stop_after_delay(NODE_START_S),
        wait=wait_fixed(0.2),
        retry=retry_if_exception_type(RuntimeError),
        reraise=True,
    )(services.get_node)
    with (
        patch.object(services, "get_node", patient),
        patch.object(services, "start_raylet", _with_known_ports(services.start_raylet, agent_ports)),
        patch.object(parameter, "RayParams", lean),
        patch.object(node.Node, "start_api_server", lambda *_, **__: None),
    ):
        ray.init(
            address="local",
            num_cpus=cpus,
            object_store_memory=object_store_bytes,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.WARNING,
            _metrics_export_port=export_port,
        )


def _with_known_ports(start_raylet: Callable[..., Any], ports: dict[str, int]) -> Callable[..., Any]:
    """`start_raylet` with the agents' ports written down beforehand.

    A raylet waits for its agents to start and name their ports, and dies after 15 s of waiting: two Python
    processes, ten seconds even on an idle machine. Told the ports, it goes on while they start.
    """
    from ray._raylet import persist_port  # type: ignore[attr-defined]

    @functools.wraps(start_raylet)
    def start(*args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(start_raylet).bind(*args, **kwargs).arguments
        for name, port in ports.items():
            persist_port(given["session_dir"], given["node_id"], name, port)
        return start_raylet(*args, **kwargs)

    return start


def _free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]
