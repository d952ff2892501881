"""Keeps the Flink jobs running: submits what is missing, from the newest retained checkpoint.

A JobManager without high availability forgets its jobs when it dies; so does a whole cluster between `down`
and `up`. State then comes from the checkpoints on disk, never from the consumer groups' offsets: those
run ahead of the state.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from infra.local import checkpoints, process
from infra.local.flink_rest import FlinkRest, Job
from infra.local.logs import tail
from infra.local.settings import ROOT, Stack
from infra.local.state import JobState
from infra.local.watch import pause_s

log = logging.getLogger(__name__)

LOOK_S = 0.5
LOOK_CALM_S = 3.0
"""Between two looks at the jobs: while something is missing, and while all run."""

SUBMIT_BOUND_S = 300.0
CHECKPOINT_BOUND_S = 8.0
CANCEL_BOUND_S = 8.0

REFUSALS = ("Cannot map checkpoint/savepoint state", "StateMigrationException", "must not be incompatible")
"""Texts of Flink by which it says that the program no longer fits the state."""

UNREADABLE = ("Failed to rollback to checkpoint/savepoint", "Could not restore", "CheckpointException")


@dataclass(frozen=True)
class Submission:
    """How jobs are submitted.

    Attributes:
        command: The client; job arguments `NAME` or `NAME=CHECKPOINT` follow. It prints one JSON object
            with `job` and `id` a line.
        environment: Variables beside those of the stack.
        allow_non_restored: Drop state that no operator of the program claims any more.
    """

    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    allow_non_restored: bool = False


class Jobs:
    """The jobs of the stack by name."""

    def __init__(
        self,
        names: Sequence[str],
        stack: Stack,
        submission: Submission,
        changed: Callable[[], None],
        *,
        began: float,
        rest: FlinkRest | None = None,
    ) -> None:
        self.states = {name: JobState(name, since=time.time()) for name in names}
        self._stack = stack
        self._submission = submission
        self._changed = changed
        self._began = began
        self._rest = rest or FlinkRest(stack.endpoints.flink_url)
        self._unreadable: set[Path] = set()
        self._judged: set[str] = set()
        self._failures = 0

    async def run(self, jobmanager: asyncio.Event, needs: Sequence[asyncio.Event]) -> None:
        """Look, and submit what is missing, until cancelled.

        Args:
            jobmanager: Set while the JobManager answers; without it nothing is known of the jobs.
            needs: What else must be healthy before a job is submitted.
        """
        while True:
            if not jobmanager.is_set():
                self._lose_sight()
            await jobmanager.wait()
            try:
                missing = await self._look()
                if missing and all(healthy.is_set() for healthy in needs):
                    await self._submit(missing)
            except httpx.HTTPError:  # the part's own watch says what is the matter
                self._lose_sight()
            calm = all(state.state == "RUNNING" for state in self.states.values())
            await asyncio.sleep(LOOK_CALM_S if calm else LOOK_S)

    async def stop(self) -> None:
        """Take a last checkpoint of each job, then cancel it; bounded, as the checkpoints before are kept."""
        with contextlib.suppress(httpx.HTTPError):
            running = [job for job in await self._rest.jobs() if not job.ended and job.name in self.states]
            await asyncio.gather(*(self._stop(job) for job in running))
        await self._rest.close()

    async def _stop(self, job: Job) -> None:
        with contextlib.suppress(httpx.HTTPError):
            if job.state == "RUNNING" and not await self._rest.checkpoint(job.jid, CHECKPOINT_BOUND_S):
                log.warning("%s: no last checkpoint; the one before stays the newest", job.name)
        with contextlib.suppress(httpx.HTTPError):
            await self._rest.cancel(job.jid, CANCEL_BOUND_S)
        self._enter(self.states[job.name], "CANCELED")

    async def _look(self) -> list[str]:
        """Take over what runs; returns the names of the jobs to submit."""
        known = await self._rest.jobs()
        missing = []
        for name, state in self.states.items():
            mine = [job for job in known if job.name == name]
            alive = [job for job in mine if not job.ended]
            for extra in alive[:-1]:
                log.error("%s runs twice: cancelling %s", name, extra.jid)
                await self._rest.cancel(extra.jid, CANCEL_BOUND_S)
            if alive:
                await self._adopt(state, alive[-1])
                continue
            if mine and mine[-1].state == "FAILED" and mine[-1].jid not in self._judged:
                self._judged.add(mine[-1].jid)
                self._judge(state, await self._rest.failure(mine[-1].jid))
            if state.state != "refused":
                missing.append(name)
        return missing

    async def _adopt(self, state: JobState, job: Job) -> None:
        state.job_id = job.jid
        if job.state == "RUNNING":
            self._failures = 0
            state.problem = ""
            if state.running_after_s is None:
                state.running_after_s = round(time.time() - self._began, 1)
            await asyncio.to_thread(checkpoints.forget_others, self._stack.checkpoints, state.name, job.jid)
        elif job.state in ("RESTARTING", "FAILING"):
            failure = await self._rest.failure(job.jid)
            state.problem = _cause(failure)
            if any(text in failure for text in REFUSALS):
                await self._rest.cancel(job.jid, CANCEL_BOUND_S)
                self._judge(state, failure)
                return
        self._enter(state, job.state)

    def _judge(self, state: JobState, failure: str) -> None:
        """Decide what the failure of a submission means for the next one."""
        state.problem = _cause(failure)
        if any(text in failure for text in REFUSALS):
            log.error("%s: its state cannot be restored: %s", state.name, state.problem)
            self._enter(state, "refused")
        elif state.restored_from and any(text in failure for text in UNREADABLE):
            log.error("%s: %s cannot be read, trying an older one", state.name, state.restored_from)
            self._unreadable.add(Path(state.restored_from))

    async def _submit(self, names: list[str]) -> None:
        """One client for all jobs that are missing: its start is the dear part."""
        await asyncio.sleep(pause_s(self._failures, self._stack.settings.backoff_max_s))
        arguments = []
        for name in names:
            path = checkpoints.newest(self._stack.checkpoints, name, self._unreadable)
            state = self.states[name]
            state.restored_from = str(path) if path else ""
            state.submissions += 1
            arguments.append(f"{name}={path}" if path else name)
            self._enter(state, "submitting")
        log.info("submitting %s", " ".join(arguments))
        output, problem = await self._client(arguments)
        submitted = {}
        for line in output.splitlines():
            with contextlib.suppress(json.JSONDecodeError, KeyError, TypeError):
                answer = json.loads(line)
                submitted[answer["job"]] = answer["id"]
        for name in names:
            if name not in submitted:
                self.states[name].problem = problem or "the client did not name a job id"
                self._enter(self.states[name], "waiting")
        self._failures = 0 if len(submitted) == len(names) else self._failures + 1

    async def _client(self, arguments: list[str]) -> tuple[str, str]:
        """Run the client; returns what it printed and, where it failed, why."""
        flags = ["--allow-non-restored"] if self._submission.allow_non_restored else []
        result = self._stack.run / "submitted.jsonl"
        errors = self._stack.logs / "submit.log"
        result.write_bytes(b"")
        client = await process.spawn(
            (*self._submission.command, *flags, *arguments),
            part="submit",
            home=self._stack.home,
            environment=self._stack.environment() | self._submission.environment,
            log=errors,
            output=result,
            folder=ROOT,
        )
        try:
            async with asyncio.timeout(SUBMIT_BOUND_S):
                status = await client.wait()
        except TimeoutError:
            status = -1
        finally:
            if client.returncode is None:
                client.kill()
            process.end_part(self._stack.home, "submit", {client.pid: "submit"})
        text = result.read_text(encoding="utf-8")
        return text, f"the client failed ({status}): {tail(errors, lines=4)}" if status else ""

    def _lose_sight(self) -> None:
        for state in self.states.values():
            if state.job_id and state.state != "refused":
                self._enter(state, "unknown")

    def _enter(self, state: JobState, name: str) -> None:
        if state.state != name:
            log.info("job %s: %s", state.name, name)
            state.state = name
            state.since = time.time()
            self._changed()


def _cause(stacktrace: str) -> str:
    """The innermost cause of a Java stack trace: what a reader needs of it."""
    lines = [line.strip() for line in stacktrace.splitlines() if line and not line.startswith(("\t", " "))]
    return lines[-1].removeprefix("Caused by: ") if lines else ""
