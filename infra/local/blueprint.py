"""Which parts and jobs a stack consists of."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from infra.local.jobs import Submission
from infra.local.parts.flink import flink, flink_environment
from infra.local.parts.kafka import kafka
from infra.local.parts.part import Part
from infra.local.parts.python import ray, store, topics
from infra.local.settings import Stack

JOBS = ("score", "detect")
GROUPS = {"flink": ("jobmanager", "taskmanager")}
"""Names that stand for several parts."""

NAMES = ("kafka", "flink", "ray", "topics", "store", "jobs")
"""What `--only` may name."""


@dataclass(frozen=True)
class Blueprint:
    """The parts in the order in which they are started, the jobs, and how jobs are submitted."""

    parts: tuple[Part, ...]
    jobs: tuple[str, ...]
    submission: Submission


def blueprint(stack: Stack, only: Sequence[str] = (), *, allow_non_restored: bool = False) -> Blueprint:
    """The local parts of a stack: those whose address is on loopback and that `only` names.

    Raises:
        ValueError: `only` names something that is no part.
    """
    if unknown := [name for name in only if name not in (*NAMES, *GROUPS["flink"])]:
        raise ValueError(f"no part is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    wanted = {part for name in only or NAMES for part in GROUPS.get(name, (name,))}
    local = stack.ports
    parts: list[Part] = []
    if "kafka" in local:
        parts.append(kafka(stack))
    if "flink" in local:
        parts += flink(stack)
    parts.append(topics(stack))
    if "scorer" in local:
        parts.append(ray(stack))
    if "api" in local:
        parts.append(store(stack))
    return Blueprint(
        parts=tuple(part for part in parts if part.name in wanted),
        jobs=JOBS if "jobs" in wanted else (),
        submission=Submission(
            command=(sys.executable, "-m", "pipelines.flink.submit"),
            environment=flink_environment(stack),
            allow_non_restored=allow_non_restored,
        ),
    )
