"""How a call proves who we are: an API key, or an OAuth token that google-auth refreshes."""

import asyncio
import hashlib
from pathlib import Path
from typing import Final, Protocol

import msgspec
from pydantic import SecretStr

from connectors.youtube.errors import YouTubeError
from connectors.youtube.settings import YouTubeSettings


class Credentials(Protocol):
    """Headers of each call."""

    @property
    def name(self) -> str:
        """Tells the credentials from others; holds nothing of them."""

    async def headers(self) -> dict[str, str]:
        """The headers; YouTubeError where there is no valid token."""


class ApiKey:
    """A key in a header: in the address it would stand in logs."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key
        self.name: Final = _digest(key.get_secret_value())

    async def headers(self) -> dict[str, str]:
        """See Credentials."""
        return {"x-goog-api-key": self._key.get_secret_value()}


class _AuthorizedUser(msgspec.Struct, frozen=True):
    """The file that google-auth writes for a person who has agreed; it never names another token server."""

    client_id: str
    client_secret: str
    refresh_token: str


class OAuthToken:
    """An access token, fetched anew shortly before it ends."""

    def __init__(self, path: Path, token_url: str) -> None:
        """Read the file of an authorized user.

        Raises:
            ValueError: it is missing, or not such a file.
        """
        from google.oauth2.credentials import Credentials as GoogleCredentials

        try:
            user = msgspec.json.decode(path.read_bytes(), type=_AuthorizedUser)
        except OSError as error:
            raise ValueError(f"PULSE_YOUTUBE_TOKEN_FILE: {error.strerror}") from None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise ValueError("PULSE_YOUTUBE_TOKEN_FILE: not the file of an authorized user") from None
        self._token = GoogleCredentials(  # type: ignore[no-untyped-call]
            None,
            refresh_token=user.refresh_token,
            token_uri=token_url,
            client_id=user.client_id,
            client_secret=user.client_secret,
        )
        self.name: Final = _digest(user.client_id)
        self._refreshing = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        """See Credentials."""
        async with self._refreshing:
            if not self._token.valid:
                await asyncio.to_thread(self._refresh)
        return {"authorization": f"Bearer {self._token.token}"}

    def _refresh(self) -> None:
        from google.auth.exceptions import GoogleAuthError, RefreshError
        from google.auth.transport.requests import Request

        try:
            self._token.refresh(Request())  # type: ignore[no-untyped-call]
        except RefreshError as error:
            if error.retryable:
                raise YouTubeError("connection_lost", "Google's token server does not answer") from None
            raise YouTubeError("credentials", "Google refuses the refresh token; log in anew") from None
        except GoogleAuthError:
            raise YouTubeError("connection_lost", "Google's token server cannot be reached") from None


def load_credentials(settings: YouTubeSettings) -> Credentials:
    """The key or the token of the settings.

    Raises:
        ValueError: there is neither, or the token's file cannot be used.
    """
    if settings.token_file:
        return OAuthToken(settings.token_file, settings.token_url)
    if settings.api_key:
        return ApiKey(settings.api_key)
    raise ValueError("neither PULSE_YOUTUBE_API_KEY nor PULSE_YOUTUBE_TOKEN_FILE is set")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
