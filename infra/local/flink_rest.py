"""The few questions and orders to Flink's REST API that the supervisor needs.

https://nightlies.apache.org/flink/flink-docs-release-2.2/docs/ops/rest_api/
"""

import asyncio
from typing import Any

import httpx
import msgspec

ENDED = frozenset({"FAILED", "CANCELED", "FINISHED"})
POLL_S = 0.2


class Job(msgspec.Struct):
    """One line of `GET /jobs/overview`."""

    jid: str
    name: str
    state: str
    start_time: int = msgspec.field(name="start-time")

    @property
    def ended(self) -> bool:
        """Whether this submission is over for good."""
        return self.state in ENDED


class FlinkRest:
    """A client of one JobManager; every call raises httpx.HTTPError where that does not answer."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=10.0, transport=transport)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def jobs(self) -> list[Job]:
        """All submissions that the JobManager knows, oldest first."""
        found = msgspec.convert((await self._get("/jobs/overview"))["jobs"], list[Job])
        return sorted(found, key=lambda job: job.start_time)

    async def failure(self, job_id: str) -> str:
        """The newest exception of a job with its causes; empty where there was none."""
        entries = (await self._get(f"/jobs/{job_id}/exceptions?maxExceptions=1"))["exceptionHistory"][
            "entries"
        ]
        return str(entries[0]["stacktrace"]) if entries else ""

    async def checkpoints(self, job_id: str) -> dict[str, Any]:
        """Counts and the latest checkpoints of a job, as Flink tells them."""
        return await self._get(f"/jobs/{job_id}/checkpoints")

    async def checkpoint(self, job_id: str, bound_s: float) -> bool:
        """Take a checkpoint now; False where it failed or took longer than the bound."""
        answer = await self._client.post(f"/jobs/{job_id}/checkpoints", json={"checkpointType": "CONFIGURED"})
        answer.raise_for_status()
        trigger = answer.json()["request-id"]
        try:
            async with asyncio.timeout(bound_s):
                while True:
                    body = await self._get(f"/jobs/{job_id}/checkpoints/{trigger}")
                    if body["status"]["id"] == "COMPLETED":
                        return "failure-cause" not in body.get("operation", {})
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            return False

    async def cancel(self, job_id: str, bound_s: float) -> bool:
        """Cancel a job (its newest checkpoint stays); False where it has not ended within the bound."""
        answer = await self._client.patch(f"/jobs/{job_id}", params={"mode": "cancel"})
        if answer.status_code != httpx.codes.CONFLICT:  # it has ended already
            answer.raise_for_status()
        try:
            async with asyncio.timeout(bound_s):
                while any(job.jid == job_id and not job.ended for job in await self.jobs()):
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            return False
        return True

    async def _get(self, path: str) -> dict[str, Any]:
        answer = await self._client.get(path)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body
