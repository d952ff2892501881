"""The list of channels over HTTP, and what is asked of whoever keeps it."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import FastAPI, HTTPException, Path, Response
from fastapi.responses import JSONResponse
from starlette.requests import Request

from serving.api import models

Workspace = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Address = Annotated[str, Path(pattern=r"^[a-z]{1,32}:[^/]{1,200}$", description="platform:name")]


class ListUnavailableError(RuntimeError):
    """The list cannot be read or changed now; the same request may succeed later."""


class NotListedError(LookupError):
    """The channel is not on the list."""


class ChannelList(Protocol):
    """Blocking; any number of threads. Raises ListUnavailableError."""

    def channels(self, workspace: str) -> Sequence[models.Channel]:
        """The channels of a workspace, by name."""

    def add(self, workspace: str, address: str) -> str:
        """Listen to a channel too; returns its address as it is known. ValueError: it cannot be."""

    def remove(self, workspace: str, address: str) -> None:
        """Listen to a channel no more. Raises NotListedError, and ValueError where it cannot be one."""


def add_channels(app: FastAPI, listed: ChannelList) -> None:
    """Add the routes."""

    @app.exception_handler(ListUnavailableError)
    def unavailable(_request: Request, error: ListUnavailableError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "2"})

    @app.get("/api/v1/{workspace}/channels")
    async def get_channels(workspace: Workspace) -> models.Channels:
        """The channels that are to be listened to, who does, and how they stand."""
        return models.Channels(channels=list(await asyncio.to_thread(listed.channels, workspace)))

    @app.put("/api/v1/{workspace}/channels/{address}")
    async def put_channel(workspace: Workspace, address: Address) -> models.ChannelAdded:
        """Listen to a channel too; one that is on the list stays as it is."""
        try:
            return models.ChannelAdded(channel=await asyncio.to_thread(listed.add, workspace, address))
        except ValueError as error:
            raise HTTPException(422, str(error)) from None

    @app.delete("/api/v1/{workspace}/channels/{address}", status_code=204)
    async def delete_channel(workspace: Workspace, address: Address) -> Response:
        """Listen to a channel no more; its stream ends."""
        try:
            await asyncio.to_thread(listed.remove, workspace, address)
        except NotListedError as error:
            raise HTTPException(404, str(error)) from None
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return Response(status_code=204)
