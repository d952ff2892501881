"""Access tokens of Twitch's API: from the environment or a private file, renewed when Twitch refuses them.

Source: dev.twitch.tv/docs/authentication. Tokens stand in no message, log or `repr`.
"""

import json
import os
import stat
from pathlib import Path
from typing import Final, Protocol

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from connectors.core.source import SourceError
from connectors.twitch.settings import TwitchSettings


class CredentialsError(SourceError):
    """There is no usable token; the message says what to do and holds no secret."""


class Credentials(Protocol):
    """A token and how to get the next one."""

    @property
    def token(self) -> str:
        """The token that holds now; empty where none was fetched yet."""

    async def renew(self, http: httpx.AsyncClient, auth_url: str, client_id: str) -> None:
        """Get a new token.

        Args:
            http: for the request.
            auth_url: where tokens come from.
            client_id: that of the token, where Twitch told it already; else empty.

        Raises:
            CredentialsError: there is none to be had.
            httpx.TransportError: Twitch does not answer.
        """


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    client_id: str = ""
    client_secret: SecretStr | None = None


class _Granted(BaseModel):
    access_token: SecretStr
    refresh_token: SecretStr | None = None


class UserToken:
    """A user's token; renewed with the refresh token where there is one."""

    def __init__(self, stored: _Stored, path: Path | None = None) -> None:
        self._stored = stored
        self._path = path

    @property
    def token(self) -> str:
        """The token that holds now."""
        return self._stored.access_token.get_secret_value().removeprefix("oauth:")

    async def renew(self, http: httpx.AsyncClient, auth_url: str, client_id: str) -> None:
        """Use the refresh token, and keep what came: in the file where the tokens came from one."""
        stored = self._stored
        client_id = stored.client_id or client_id
        if stored.refresh_token is None or not client_id:
            raise CredentialsError(
                "Twitch refused the token, and no refresh token and client id are there to renew it"
            )
        form = {
            "grant_type": "refresh_token",
            "refresh_token": stored.refresh_token.get_secret_value(),
            "client_id": client_id,
        }
        if stored.client_secret is not None:
            form["client_secret"] = stored.client_secret.get_secret_value()
        granted = await _granted(http, auth_url, form)
        self._stored = stored.model_copy(
            update={
                "access_token": granted.access_token,
                # public clients get a new one each time, others keep theirs
                "refresh_token": granted.refresh_token or stored.refresh_token,
            }
        )
        if self._path:
            _write(self._path, self._stored)


class AppToken:
    """The application's own token (client credentials), as conduits need it."""

    def __init__(self, client_id: str, client_secret: SecretStr) -> None:
        self.client_id: Final = client_id
        self._secret = client_secret
        self._token = ""

    @property
    def token(self) -> str:
        """The token that holds now."""
        return self._token

    async def renew(self, http: httpx.AsyncClient, auth_url: str, client_id: str) -> None:
        """Ask for a token: app tokens have no refresh token."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self._secret.get_secret_value(),
        }
        self._token = (await _granted(http, auth_url, form)).access_token.get_secret_value()


def user_token(settings: TwitchSettings) -> UserToken:
    """The user's token of the settings: of `token_file` where it is set, else of the environment.

    Raises:
        CredentialsError: there is none, or others may read the file.
    """
    if settings.token_file:
        return UserToken(_read(settings.token_file), settings.token_file)
    if settings.token is None:
        raise CredentialsError("set PULSE_TWITCH_TOKEN, or PULSE_TWITCH_TOKEN_FILE to a file of mode 0600")
    return UserToken(
        _Stored(
            access_token=settings.token,
            refresh_token=settings.refresh_token,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
        )
    )


def app_token(settings: TwitchSettings) -> AppToken:
    """The application's credentials of the settings.

    Raises:
        CredentialsError: there are none, or others may read the file.
    """
    client_id, secret = settings.client_id, settings.client_secret
    if settings.token_file:
        stored = _read(settings.token_file)
        client_id, secret = stored.client_id or client_id, stored.client_secret or secret
    if not client_id or secret is None:
        raise CredentialsError("set PULSE_TWITCH_CLIENT_ID and PULSE_TWITCH_CLIENT_SECRET")
    return AppToken(client_id, secret)


async def _granted(http: httpx.AsyncClient, auth_url: str, form: dict[str, str]) -> _Granted:
    answer = await http.post(f"{auth_url}/token", data=form)
    try:
        if answer.is_success:
            return _Granted.model_validate_json(answer.content)
    except ValidationError:
        raise CredentialsError("Twitch answered the request for a token with something else") from None
    raise CredentialsError(
        f"Twitch gives no token (HTTP {answer.status_code}): check the client id, its secret and the refresh "
        "token, or sign in anew"
    )


def _read(path: Path) -> _Stored:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise CredentialsError(f"{path} can be read by others: chmod 600 it, and get a new token")
        return _Stored.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        # the values stay out: they are tokens
        wrong = ", ".join(".".join(map(str, found["loc"])) or found["type"] for found in error.errors())
        raise CredentialsError(f"{path} is not JSON with `access_token`: {wrong}") from None


def _write(path: Path, stored: _Stored) -> None:
    """Replace the file in one step, so that a crash leaves a whole one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    content = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in stored
        if value
    }
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
