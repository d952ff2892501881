"""The supervisor's promises, on parts that are small Python processes."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from infra.local import process, state
from infra.local.blueprint import Blueprint
from infra.local.jobs import Submission
from infra.local.parts.part import Part
from infra.local.settings import ROOT, Stack
from infra.local.supervisor import AlreadyRunningError, Supervisor, clear_leftovers, lock
from tests.unit.infra.local.fake_parts import DIE, fake_part, fake_stack, plan, sign
from tests.unit.infra.local.test_checkpoints import checkpoint

BOUND_S = 30.0


@contextlib.asynccontextmanager
async def supervised(stack: Stack, blueprint: Blueprint) -> AsyncIterator[Callable[[], state.StackState]]:
    supervisor = Supervisor(stack, blueprint)
    task = asyncio.create_task(supervisor.run())
    try:
        yield lambda: state.read(stack.run)
    finally:
        supervisor.stop_requested.set()
        await asyncio.wait_for(task, BOUND_S)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(BOUND_S):
        while not condition():
            await asyncio.sleep(0.02)


def pid(home: Path, name: str) -> int:
    return int(sign(home, name).read_text())


def runs(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_parts_start_when_those_they_need_are_healthy(tmp_path):
    stack = fake_stack(tmp_path)
    (tmp_path / "first.sick").touch()
    first, second = fake_part(tmp_path, "first"), fake_part(tmp_path, "second", needs=("first",))
    async with supervised(stack, plan(first, second)) as now:
        await until(sign(tmp_path, "first").exists)
        assert now().parts["second"].state == "waiting"
        (tmp_path / "first.sick").unlink()
        await until(lambda: now().ready)
        assert now().parts["second"].pid == pid(tmp_path, "second")


async def test_a_dead_part_comes_back_and_says_why(tmp_path):
    stack = fake_stack(tmp_path)
    async with supervised(
        stack, plan(fake_part(tmp_path, "part", children=1), fake_part(tmp_path, "other"))
    ) as now:
        await until(lambda: now() and now().ready)
        first, orphan = pid(tmp_path, "part"), int((tmp_path / "part.pid.child0").read_text())
        other = pid(tmp_path, "other")
        os.kill(first, signal.SIGKILL)
        await until(lambda: now().ready and now().parts["part"].pid not in (0, first))
        assert now().parts["part"].restarts == 1
        assert now().parts["part"].last_failure == "was ended by SIGKILL"
        assert not runs(orphan), "a child of the dead part is still there"
        assert pid(tmp_path, "other") == other, "a part that was well was touched"


async def test_a_part_that_no_longer_answers_is_restarted(tmp_path):
    stack = fake_stack(tmp_path)
    async with supervised(stack, plan(fake_part(tmp_path, "part", stubborn=True))) as now:
        await until(lambda: now() and now().ready)
        first = pid(tmp_path, "part")
        (tmp_path / "part.sick").touch()
        await until(lambda: now().parts["part"].restarts == 1)
        (tmp_path / "part.sick").unlink()
        await until(lambda: now().ready and now().parts["part"].pid != first)
        assert "no longer answers" in now().parts["part"].last_failure
        assert not runs(first)


async def test_a_part_that_cannot_start_is_reported_with_its_words_and_tried_again(tmp_path):
    stack = fake_stack(tmp_path, failures_to_report=2)

    async def never() -> None:
        raise ConnectionError("nobody is there")

    broken = Part(name="broken", command=(sys.executable, "-c", DIE), probe=never)
    async with supervised(stack, plan(broken)) as now:
        await until(lambda: now() and now().parts["broken"].state == "failing")
        assert now().parts["broken"].last_failure == "ended with status 7"
        assert "pod bay doors" in (stack.logs / "broken.log").read_text()
        await until(lambda: now().parts["broken"].failures > 2)


async def test_a_one_shot_part_is_done_and_lets_others_start(tmp_path):
    stack = fake_stack(tmp_path)

    async def never() -> None:
        raise AssertionError("a one-shot part is not asked")

    once = Part(name="once", command=(sys.executable, "-c", "pass"), probe=never, one_shot=True)
    async with supervised(stack, plan(once, fake_part(tmp_path, "after", needs=("once",)))) as now:
        await until(lambda: now() and now().ready)
        assert now().parts["once"].state == "done"


async def test_a_taken_port_is_named_with_its_holder(tmp_path):
    stack = fake_stack(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        stack.endpoints = stack.endpoints.model_copy(
            update={"api_url": f"http://127.0.0.1:{taken.getsockname()[1]}"}
        )
        async with supervised(stack, plan(fake_part(tmp_path, "store", ports=("api",)))) as now:
            await until(lambda: now() and now().parts["store"].problem)
            problem = now().parts["store"].problem
    assert f"port {taken_port(stack)} (api) is taken by pid {os.getpid()}" in problem


def taken_port(stack: Stack) -> int:
    return stack.ports["api"]


async def test_stopping_leaves_no_process(tmp_path):
    stack = fake_stack(tmp_path)
    parts = (
        fake_part(tmp_path, "meek", children=2),
        fake_part(tmp_path, "stubborn", stubborn=True, children=1),
    )
    async with supervised(stack, plan(*parts)) as now:
        await until(lambda: now() and now().ready)
        assert len(process.members(tmp_path)) == 5
    assert process.members(tmp_path) == {}
    assert {part.state for part in state.read(stack.run).parts.values()} == {"stopped"}


def test_leftovers_of_a_killed_supervisor_are_ended_and_strangers_are_not(tmp_path):
    stack = fake_stack(tmp_path)
    stranger = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.infra.local.fake_parts", str(tmp_path)], cwd=ROOT
    )
    try:
        wait_until(lambda: (known := state.read(stack.run)) and known.ready)
        with pytest.raises(AlreadyRunningError), lock(stack.run):
            pass
        supervisor.kill()
        supervisor.wait()
        assert not state.supervisor_alive(state.read(stack.run))
        stubborn = pid(tmp_path, "stubborn")
        wait_until(lambda: not runs(pid(tmp_path, "meek")))  # the kernel told it that its parent died
        assert runs(stubborn)
        with lock(stack.run):
            clear_leftovers(stack)
        assert process.members(tmp_path) == {}
        assert not runs(stubborn)
        assert stranger.poll() is None
    finally:
        supervisor.kill()
        stranger.kill()
        stranger.wait()
        clear_leftovers(stack)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("fresh", [True, False])
async def test_only_a_fresh_start_drops_the_jobs_checkpoints(tmp_path, fresh):
    stack = fake_stack(tmp_path)
    path = checkpoint(stack.checkpoints, "score", "old", 1, at=100)
    blueprint = Blueprint(parts=(), jobs=("score",), submission=Submission(command=()))
    supervisor = Supervisor(stack, blueprint, fresh=fresh)
    task = asyncio.create_task(supervisor.run())
    await until(lambda: state.read(stack.run))
    supervisor.stop_requested.set()
    await task
    assert path.exists() is not fresh
