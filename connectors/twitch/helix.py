"""Twitch's API (Helix): a small typed client that keeps to the rate limit and renews its token.

Own, because the kept library (twitchAPI) has no public call that creates an EventSub subscription for a
connection of ours, and waits by the machine's clock, so that hours of faults could not be tested.
Source: dev.twitch.tv/docs/api/guide and dev.twitch.tv/docs/api/reference.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from connectors.core.clock import Clock
from connectors.twitch.credentials import Credentials

_TRIES: Final = 4
_PAUSE_S: Final = 0.5
"""Before the second try of a request that met a server's error; doubles with each."""
_LONGEST_WAIT_S: Final = 60.0
"""Twitch's bucket fills within a minute; a reset that lies farther ahead is our clock's mistake."""
_PAGE: Final = 100
"""Names that one lookup may hold."""

Body = Mapping[str, Any]
Params = Sequence[tuple[str, str]]
Model = TypeVar("Model", bound=BaseModel)


class HelixError(Exception):
    """Twitch refused a request, or did not answer; `status` is HTTP's, 0 without an answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status: Final = status


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Identity(_Answer):
    """Whose token it is, and what it may do."""

    client_id: str
    login: str = ""
    user_id: str = ""
    scopes: tuple[str, ...] | None = None


class User(_Answer):
    """An account."""

    id: str
    login: str
    display_name: str = ""


class LiveStream(_Answer):
    """A broadcast that is on the air."""

    id: str
    user_id: str
    user_login: str
    title: str = ""
    game_name: str = ""
    language: str = ""
    viewer_count: int
    started_at: datetime


class Subscription(_Answer):
    """An EventSub subscription."""

    id: str
    status: str
    type: str
    cost: int = 0


class Conduit(_Answer):
    """A named set of connections over which Twitch spreads notifications."""

    id: str
    shard_count: int


class Helix:
    """Requests as one user or application.

    Waits (on the clock) where the bucket of `Ratelimit-Remaining` is empty or Twitch answers 429; renews the
    token once where it answers 401; tries a GET again where the server fails. Requests that change something
    are sent again only where Twitch has surely not taken them.

    Not thread-safe: one event loop.
    """

    def __init__(
        self, credentials: Credentials, http: httpx.AsyncClient, clock: Clock, *, api_url: str, auth_url: str
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            credentials: whose requests these are.
            http: the connection pool; the caller closes it.
            clock: all pauses go by it.
            api_url: without a slash at its end.
            auth_url: of tokens; the same.
        """
        self._credentials = credentials
        self._http = http
        self._clock = clock
        self._api_url = api_url
        self._auth_url = auth_url
        self._identity: Identity | None = None
        self._resumes_ms = 0
        self._renewing = asyncio.Lock()

    async def identity(self) -> Identity:
        """Whose token it is.

        Raises:
            CredentialsError: Twitch refuses the token and it cannot be renewed.
            HelixError: Twitch does not answer.
        """
        if self._identity is None:
            if not self._credentials.token:
                await self._renew("")
            answer = await self._validated()
            if answer.status_code == 401:
                await self._renew(self._credentials.token)
                answer = await self._validated()
            if not answer.is_success:
                raise HelixError(answer.status_code, f"{self._auth_url}: {_why(answer)}")
            self._identity = _parsed(Identity, answer)
        return self._identity

    async def users(self, logins: Sequence[str]) -> dict[str, User]:
        """The accounts by login, in lower case; those that do not exist are missing."""
        found: dict[str, User] = {}
        for start in range(0, len(logins), _PAGE):
            params = [("login", login.lower()) for login in logins[start : start + _PAGE]]
            found |= {user.login: user for user in await self._get("/users", params, User)}
        return found

    async def streams(self, logins: Sequence[str]) -> dict[str, LiveStream]:
        """The broadcasts that are on the air, by the channel's login."""
        found: dict[str, LiveStream] = {}
        for start in range(0, len(logins), _PAGE):
            page = logins[start : start + _PAGE]
            params = [("first", str(_PAGE)), *(("user_login", login.lower()) for login in page)]
            found |= {live.user_login: live for live in await self._get("/streams", params, LiveStream)}
        return found

    async def subscribe(
        self, kind: str, version: str, condition: Mapping[str, str], transport: Mapping[str, str]
    ) -> Subscription | None:
        """Subscribe to an EventSub type; None where the same subscription exists already.

        Raises:
            HelixError: 403 without the user's permission, 400 where the session is over, 429 where the
                subscriptions' limit is reached (which waiting does not help).
        """
        body = {"type": kind, "version": version, "condition": condition, "transport": transport}
        try:
            answer = await self.request("POST", "/eventsub/subscriptions", body=body)
        except HelixError as error:
            if error.status == 409:
                return None
            raise
        return _listed(Subscription, answer)[0]

    async def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription."""
        await self.request("DELETE", "/eventsub/subscriptions", [("id", subscription_id)])

    async def conduits(self) -> list[Conduit]:
        """The application's conduits."""
        return await self._get("/eventsub/conduits", (), Conduit)

    async def create_conduit(self, shards: int) -> Conduit:
        """A new conduit; an application may have five."""
        answer = await self.request("POST", "/eventsub/conduits", body={"shard_count": shards})
        return _listed(Conduit, answer)[0]

    async def resize_conduit(self, conduit_id: str, shards: int) -> None:
        """Change the number of its shards."""
        body = {"id": conduit_id, "shard_count": shards}
        await self.request("PATCH", "/eventsub/conduits", body=body)

    async def assign_shard(self, conduit_id: str, shard: int, session_id: str) -> None:
        """Let one WebSocket session be a shard of the conduit.

        Raises:
            HelixError: also where Twitch takes the request but not the shard.
        """
        transport = {"method": "websocket", "session_id": session_id}
        body = {"conduit_id": conduit_id, "shards": [{"id": str(shard), "transport": transport}]}
        answer = await self.request("PATCH", "/eventsub/conduits/shards", body=body)
        if errors := _json(answer).get("errors"):
            raise HelixError(400, f"shard {shard}: {errors[0].get('message', 'refused')}")

    async def request(
        self, method: str, path: str, params: Params = (), body: Body | None = None
    ) -> httpx.Response:
        """One request, as the class says; the answer is a success.

        Raises:
            CredentialsError: the token is refused and cannot be renewed.
            HelixError: Twitch refuses the request, or does not answer.
        """
        client_id = (await self.identity()).client_id
        renewed = False
        for tries in range(1, _TRIES + 1):
            await self._clock.sleep((self._resumes_ms - self._clock.now_ms()) / 1000)
            token = self._credentials.token
            headers = {"Authorization": f"Bearer {token}", "Client-Id": client_id}
            try:
                answer = await self._http.request(
                    method, self._api_url + path, params=list(params), json=body, headers=headers
                )
            except httpx.TransportError as error:
                # whether Twitch took it is unknown, unless it was never sent
                if tries == _TRIES or not (method == "GET" or isinstance(error, httpx.ConnectError)):
                    raise HelixError(0, f"{method} {path}: {type(error).__name__}: {error}") from None
                await self._clock.sleep(_PAUSE_S * 2 ** (tries - 1))
                continue
            limited = self._note_limit(answer)
            if answer.is_success:
                return answer
            last = tries == _TRIES
            if answer.status_code == 401 and not renewed:
                renewed = True
                await self._renew(token)
            elif answer.status_code == 429 and limited and not last:
                continue
            elif answer.status_code >= 500 and method == "GET" and not last:
                await self._clock.sleep(_PAUSE_S * 2 ** (tries - 1))
            else:
                raise HelixError(answer.status_code, f"{method} {path}: {_why(answer)}")
        raise HelixError(401, f"{method} {path}: Twitch refuses the renewed token")

    async def _get(self, path: str, params: Params, kind: type[Model]) -> list[Model]:
        return _listed(kind, await self.request("GET", path, params))

    def _note_limit(self, answer: httpx.Response) -> bool:
        """Whether the bucket is empty; then the next request waits until it is filled.

        A 429 with points left in the bucket is another limit (too many subscriptions): waiting is no help.
        """
        remaining, reset = answer.headers.get("Ratelimit-Remaining"), answer.headers.get("Ratelimit-Reset")
        if remaining is None or not remaining.isdigit() or int(remaining) > 0:
            return False
        now = self._clock.now_ms()
        until = int(reset) * 1000 if reset and reset.isdigit() else now + 1000
        self._resumes_ms = min(max(until, now), now + round(_LONGEST_WAIT_S * 1000))
        return True

    async def _renew(self, refused: str) -> None:
        """Once for all requests that were refused with the same token."""
        async with self._renewing:
            if self._credentials.token != refused:
                return
            try:
                known = self._identity.client_id if self._identity else ""
                await self._credentials.renew(self._http, self._auth_url, known)
            except httpx.TransportError as error:
                raise HelixError(0, f"{self._auth_url}: {type(error).__name__}: {error}") from None

    async def _validated(self) -> httpx.Response:
        headers = {"Authorization": f"OAuth {self._credentials.token}"}
        try:
            return await self._http.get(f"{self._auth_url}/validate", headers=headers)
        except httpx.TransportError as error:
            raise HelixError(0, f"{self._auth_url}: {type(error).__name__}: {error}") from None


def _listed(kind: type[Model], answer: httpx.Response) -> list[Model]:
    found = _json(answer).get("data")
    try:
        return [kind.model_validate(item) for item in found]  # type: ignore[union-attr]
    except (ValidationError, TypeError):
        raise HelixError(answer.status_code, f"{answer.url.path}: no list of {kind.__name__}") from None


def _parsed(kind: type[Model], answer: httpx.Response) -> Model:
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError:
        raise HelixError(answer.status_code, f"{answer.url.path}: no {kind.__name__}") from None


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise HelixError(answer.status_code, f"{answer.url.path}: the answer is no JSON object")
    return found


def _why(answer: httpx.Response) -> str:
    try:
        told = answer.json().get("message")
    except (ValueError, AttributeError):
        told = None
    return f"HTTP {answer.status_code}" + (f", {told}" if told else "")
