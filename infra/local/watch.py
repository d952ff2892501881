"""The life of one part: start, ask, watch, restart."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable

import psutil

from infra.local import logs, ports, process
from infra.local.parts.part import Part, UnknowableError
from infra.local.settings import Stack
from infra.local.state import PartState

log = logging.getLogger(__name__)

START_PROBE_S = 0.25
"""Between two questions to a part that is starting."""

PROBE_BOUND_S = 15.0

STABLE_S = 10.0
"""A part that has answered for so long has left its earlier failures behind."""

ENDED_BY_REQUEST = (0, 128 + signal.SIGTERM, -signal.SIGTERM)
"""Exit statuses after SIGTERM; a JVM gives the second."""

HANGING_GRACE_S = 5.0
"""Between SIGTERM and SIGKILL for a part that no longer answers."""

FIRST_PAUSE_S = 0.5
"""Before the restart after a second failure in a row; doubles from there."""


class Watch:
    """Keeps one part running until `stop`."""

    def __init__(self, part: Part, stack: Stack, changed: Callable[[], None], *, began: float) -> None:
        self.part = part
        self.state = PartState(name=part.name, address=part.address, since=time.time())
        self.healthy = asyncio.Event()
        self._stack = stack
        self._changed = changed
        self._began = began
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, needs: list["Watch"]) -> None:
        """Start the part when those it needs are healthy, and again whenever it dies or hangs."""
        for other in needs:
            await other.healthy.wait()
        starts = 0
        while True:
            self.state.restarts = max(0, starts)
            starts += 1
            try:
                done = await self._live()
            except Exception as error:  # whatever a preparation may raise: reported, and tried again
                done = self._failed(str(error) or repr(error))
            if done:
                return
            self.healthy.clear()
            await self._clear(HANGING_GRACE_S)
            pause = pause_s(self.state.failures - 1, self._stack.settings.backoff_max_s)
            log.warning("%s restarts in %.1f s: %s", self.part.name, pause, self.state.problem)
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """End the part and all that descends from it; returns when they are gone."""
        await self._clear(self.part.stop_grace_s)
        orderly = self._process is not None and self._process.returncode in ENDED_BY_REQUEST
        if orderly and self.part.ended is not None:
            await asyncio.to_thread(self.part.ended)
        self.healthy.clear()
        self._enter("stopped")

    async def _clear(self, grace_s: float) -> None:
        """End what is left of the part: itself where it runs or hangs, and children that outlived it."""
        if self._process is not None:
            await process.end_child(self._process, grace_s)
        sessions = {self.state.pid: self.part.name} if self.state.pid else {}
        await asyncio.to_thread(process.end_part, self._stack.home, self.part.name, sessions)
        self.state.pid = 0

    async def _live(self) -> bool:
        """One life; returns True where the part is done for good (a one-shot part that succeeded)."""
        self._enter("starting" if self.state.failures == 0 else "restarting")
        if self.part.prepare is not None:
            await asyncio.to_thread(self.part.prepare)
        numbers = self._stack.ports
        if taken := ports.taken({name: numbers[name] for name in self.part.ports if name in numbers}):
            raise ports.PortTakenError("; ".join(map(str, taken)))
        self._process = await process.spawn(
            self.part.command,
            part=self.part.name,
            home=self._stack.home,
            environment=self._stack.environment() | self.part.environment,
            log=self._stack.logs / f"{self.part.name}.log",
            folder=self.part.working_folder,
        )
        self.state.pid = self._process.pid
        with contextlib.suppress(psutil.NoSuchProcess):
            self.state.created = psutil.Process(self._process.pid).create_time()
        self._changed()
        if self.part.one_shot:
            return await self._wait_for_end()
        ended = asyncio.create_task(self._process.wait())
        try:
            return await self._watch(ended)
        finally:
            ended.cancel()

    async def _wait_for_end(self) -> bool:
        assert self._process is not None
        try:
            async with asyncio.timeout(self._stack.settings.start_timeout_s):
                status = await self._process.wait()
        except TimeoutError:
            return self._failed(f"did not end within {self._stack.settings.start_timeout_s:.0f} s")
        if status:
            return self._failed(f"ended with status {status}")
        self._is_healthy("done")
        return True

    async def _watch(self, ended: "asyncio.Task[int]") -> bool:
        """Ask until the part dies, does not come up in time, or no longer answers."""
        settings = self._stack.settings
        started = time.monotonic()
        misses = 0
        while True:
            try:
                problem = await self._ask()
            except UnknowableError as error:  # not counted against it while it is up
                problem, misses = str(error), misses - 1
            misses = misses + 1 if problem else 0
            if not problem and self.state.state != "up":
                self._is_healthy("up")
            elif not problem and self.state.failures and time.time() - self.state.since > STABLE_S:
                self.state.failures = 0
            elif problem and self.state.state != "up" and self.state.problem != problem:
                self.state.problem = problem
                self._changed()
            interval = settings.probe_interval_s if self.state.state == "up" else START_PROBE_S
            await asyncio.wait([ended], timeout=interval)
            if ended.done():
                return self._failed(_how_ended(ended.result()))
            if self.state.state == "up" and misses >= settings.probe_failures:
                return self._failed(f"no longer answers: {problem}")
            if self.state.state != "up" and time.monotonic() - started > settings.start_timeout_s:
                return self._failed(f"not healthy after {settings.start_timeout_s:.0f} s: {problem}")

    async def _ask(self) -> str:
        try:
            async with asyncio.timeout(PROBE_BOUND_S):
                await self.part.probe()
        except UnknowableError:
            raise
        except Exception as error:  # a probe may raise whatever its client library raises
            return f"{type(error).__name__}: {error}".strip(": ")
        return ""

    def _is_healthy(self, state: str) -> None:
        self.state.problem = ""
        if self.state.healthy_after_s is None:
            self.state.healthy_after_s = round(time.time() - self._began, 1)
        self.healthy.set()
        self._enter(state)

    def _failed(self, problem: str) -> bool:
        self.state.failures += 1
        self.state.problem = self.state.last_failure = problem
        giving_up = self.state.failures >= self._stack.settings.failures_to_report
        self._enter("failing" if giving_up else "restarting")
        if giving_up:
            end = logs.tail(self._stack.logs / f"{self.part.name}.log")
            log.error("%s fails again and again: %s\n%s", self.part.name, problem, end)
        return False

    def _enter(self, state: str) -> None:
        if self.state.state == "failing" and state in ("starting", "restarting"):
            return  # stays visible as failing until it answers
        if self.state.state != state:
            log.info("%s: %s", self.part.name, state)
            self.state.state = state
            self.state.since = time.time()
        self._changed()


def pause_s(failures: int, longest_s: float) -> float:
    """Seconds before the next start: none after a first failure, then doubling up to `longest_s`."""
    return 0.0 if failures <= 0 else min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 30), longest_s)


def _how_ended(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
