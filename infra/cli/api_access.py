"""How commands call the API of a running stack."""

from typing import Any, Final

import httpx

from schemas.endpoints import Endpoints
from serving.api.auth import known_token

TIMEOUT_S: Final = 15.0


class ApiAccessError(RuntimeError):
    """The API cannot be asked, or refused; the message says why and what to do."""


def call(
    endpoints: Endpoints,
    method: str,
    path: str,
    *,
    params: dict[str, Any] | None = None,
    body: dict[str, Any] | None = None,
) -> Any:
    """The decoded JSON answer of one call; `path` begins after `/api/v1/`.

    Raises:
        ApiAccessError: no stack runs, the token does not fit, or the API refused.
    """
    token_path = endpoints.pulse_home / "run" / "token"
    token = known_token(token_path)
    if token is None:
        raise ApiAccessError(f"there is no token at {token_path}: start the stack with `pulse up`")
    try:
        answer = httpx.request(
            method,
            f"{endpoints.api_url}/api/v1/{path}",
            params=params,
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S,
        )
    except httpx.HTTPError as error:
        raise ApiAccessError(f"no API answers at {endpoints.api_url} ({error}): see `pulse status`") from None
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise ApiAccessError(
            f"the stack at {endpoints.api_url} is not the one whose token is at {token_path}"
        )
    try:
        content = answer.json()
    except ValueError:
        raise ApiAccessError(f"{endpoints.api_url} answered {answer.status_code} without JSON") from None
    if not answer.is_success:
        detail = content.get("detail", answer.text) if isinstance(content, dict) else answer.text
        raise ApiAccessError(str(detail))
    return content
