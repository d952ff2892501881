"""Which jobs are submitted, from which checkpoint, against a JobManager that is a dictionary."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx

from infra.local.flink_rest import FlinkRest
from infra.local.jobs import Jobs, Submission
from infra.local.settings import Stack
from tests.unit.infra.local.fake_parts import fake_stack
from tests.unit.infra.local.test_checkpoints import checkpoint

BOUND_S = 30.0

CLIENT = """
import json, pathlib, sys
log = pathlib.Path(sys.argv[1])
for argument in sys.argv[2:]:
    with log.open("a") as file:
        file.write(argument + "\\n")
    if not argument.startswith("--"):
        print(json.dumps({"job": argument.split("=")[0], "id": "by-client"}))
"""


class FakeJobManager:
    def __init__(self) -> None:
        self.jobs: list[dict[str, object]] = []
        self.failures: dict[str, str] = {}
        self.cancelled: list[str] = []
        self.away = False

    def add(self, jid: str, name: str = "score", state: str = "RUNNING", failure: str = "") -> None:
        self.jobs.append({"jid": jid, "name": name, "state": state, "start-time": len(self.jobs)})
        self.failures[jid] = failure

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("refused", request=request)
        path = request.url.path
        if path == "/jobs/overview":
            return httpx.Response(200, json={"jobs": self.jobs})
        jid = path.split("/")[2]
        if path.endswith("/exceptions"):
            entries = [{"stacktrace": self.failures[jid]}] if self.failures[jid] else []
            return httpx.Response(200, json={"exceptionHistory": {"entries": entries}})
        assert request.method == "PATCH"
        self.cancelled.append(jid)
        for job in self.jobs:
            if job["jid"] == jid:
                job["state"] = "CANCELED"
        return httpx.Response(202, json={})


class World:
    def __init__(self, home: Path) -> None:
        self.stack: Stack = fake_stack(home)
        self.flink = FakeJobManager()
        self.log = home / "submissions.txt"
        self.jobmanager = asyncio.Event()
        self.ready = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self, *names: str, allow_non_restored: bool = False) -> AsyncIterator[Jobs]:
        rest = FlinkRest("http://flink", httpx.MockTransport(self.flink.answer))
        command = (sys.executable, "-c", CLIENT, str(self.log))
        submission = Submission(command, allow_non_restored=allow_non_restored)
        jobs = Jobs(names or ("score",), self.stack, submission, lambda: None, began=0.0, rest=rest)
        self.jobmanager.set()
        self.ready.set()
        task = asyncio.create_task(jobs.run(self.jobmanager, [self.ready]))
        try:
            yield jobs
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def submitted(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(BOUND_S):
        while not condition():
            await asyncio.sleep(0.02)


async def test_missing_jobs_are_submitted_together_from_their_newest_checkpoints(tmp_path):
    world = World(tmp_path)
    path = checkpoint(world.stack.checkpoints, "detect", "old", 3, at=100)
    async with world.running("score", "detect") as jobs:
        await until(lambda: len(world.submitted()) >= 2)
        assert world.submitted()[:2] == ["score", f"detect={path}"]
        assert jobs.states["detect"].restored_from == str(path)


async def test_a_running_job_is_adopted_and_not_submitted_again(tmp_path):
    world = World(tmp_path)
    world.flink.add("there")
    async with world.running() as jobs:
        await until(lambda: jobs.states["score"].state == "RUNNING")
        world.flink.jobs[0]["state"] = "RESTARTING"
        await until(lambda: jobs.states["score"].state == "RESTARTING")
    assert world.submitted() == []
    assert jobs.states["score"].job_id == "there"


async def test_a_jobmanager_that_forgot_a_job_gets_it_from_the_checkpoint(tmp_path):
    world = World(tmp_path)
    world.flink.add("there")
    async with world.running() as jobs:
        await until(lambda: jobs.states["score"].state == "RUNNING")
        path = checkpoint(world.stack.checkpoints, "score", "there", 8, at=100)
        world.flink.away = True
        await until(lambda: jobs.states["score"].state == "unknown")
        world.flink.jobs.clear()
        world.flink.away = False
        await until(world.submitted)
    assert world.submitted()[0] == f"score={path}"


async def test_nothing_is_submitted_before_kafka_and_topics_are_there(tmp_path):
    world = World(tmp_path)
    async with world.running("score") as jobs:
        world.ready.clear()
        world.flink.add("other", name="other")
        await asyncio.sleep(0)
        assert world.submitted() == []
        world.ready.set()
        await until(world.submitted)
    assert jobs.states["score"].submissions >= 1


async def test_state_that_does_not_fit_the_code_is_refused_and_not_tried_again(tmp_path):
    world = World(tmp_path)
    checkpoint(world.stack.checkpoints, "score", "old", 3, at=100)
    trace = (
        "org.apache.flink.util.FlinkException: top\n"
        "\tat org.apache.flink.X\n"
        "Caused by: java.lang.IllegalStateException: Failed to rollback to checkpoint/savepoint file:/x. "
        "Cannot map checkpoint/savepoint state for operator 17 to the new program\n"
    )
    world.flink.add("tried", state="FAILED", failure=trace)
    async with world.running() as jobs:
        await until(lambda: jobs.states["score"].state == "refused")
        assert "Cannot map checkpoint/savepoint state for operator 17" in jobs.states["score"].problem
    assert world.submitted() == []


async def test_a_job_that_failed_goes_on_from_its_checkpoint(tmp_path):
    world = World(tmp_path)
    path = checkpoint(world.stack.checkpoints, "score", "died", 3, at=100)
    world.flink.add("died", state="FAILED", failure="java.lang.RuntimeException: disk full\n")
    async with world.running():
        await until(world.submitted)
    assert world.submitted()[0] == f"score={path}"


async def test_an_unreadable_checkpoint_gives_way_to_the_one_before(tmp_path):
    world = World(tmp_path)
    older = checkpoint(world.stack.checkpoints, "score", "old", 3, at=100)
    broken = checkpoint(world.stack.checkpoints, "score", "old", 4, at=200)
    async with world.running() as jobs:
        await until(lambda: world.submitted() == [f"score={broken}"])
        await until(lambda: jobs.states["score"].state != "waiting")
        failure = f"X: Failed to rollback to checkpoint/savepoint {broken}\nCaused by: Y: gone\n"
        world.flink.add("first", state="FAILED", failure=failure)
        await until(lambda: world.submitted()[-1] == f"score={older}")


async def test_of_two_submissions_that_run_the_older_is_cancelled(tmp_path):
    world = World(tmp_path)
    world.flink.add("first")
    world.flink.add("second")
    async with world.running() as jobs:
        await until(lambda: jobs.states["score"].job_id == "second")
    assert world.flink.cancelled == ["first"]
    assert world.submitted() == []


async def test_dropping_unclaimed_state_is_passed_to_the_client(tmp_path):
    world = World(tmp_path)
    async with world.running(allow_non_restored=True):
        await until(world.submitted)
    assert world.submitted()[0] == "--allow-non-restored"
