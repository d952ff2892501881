"""Queries through the API of the running stack, the one process that holds the store."""

from typing import Any, Final

import httpx
import msgspec

from infra.local.settings import Stack
from serving.api.auth import obtain_token

TIMEOUT_S: Final = 70.0
"""Longer than the API lets a query run (60 s)."""


class QueryError(RuntimeError):
    """The API refused a query; the message holds its answer."""


class ApiRows:
    """A `Rows` over `POST /api/v1/sql`; any number of threads."""

    def __init__(self, stack: Stack) -> None:
        self._client = httpx.Client(base_url=stack.endpoints.api_url, timeout=TIMEOUT_S)
        self._token_file = stack.run / "token"

    def __call__(self, query: str) -> list[dict[str, Any]]:
        """The rows of one SELECT.

        Raises:
            ConnectionError: the API does not answer, or its store does not.
            QueryError: it refuses the query.
        """
        headers = {"Authorization": f"Bearer {obtain_token(self._token_file)}"}
        try:
            answer = self._client.post(
                "/api/v1/sql", json={"query": query, "format": "json"}, headers=headers
            )
        except httpx.HTTPError as error:
            raise ConnectionError(f"the API does not answer: {error!r}") from error
        if answer.is_server_error:
            raise ConnectionError(f"the store does not answer: {answer.text[:200]}")
        if answer.is_error:
            raise QueryError(f"{answer.status_code}: {answer.text[:500]}")
        return [msgspec.json.decode(line) for line in answer.content.splitlines()]


def page_link(stack: Stack) -> str:
    """The address of the page, with the token that opens it."""
    return f"{stack.endpoints.api_url.rstrip('/')}/?token={obtain_token(stack.run / 'token')}"
