"""How commands reach the store: through the API of a running stack, else by opening it themselves."""

import httpx

from infra.local.store_settings import store_address
from schemas.endpoints import Endpoints
from serving.api.auth import known_token

QUERY_TIMEOUT_S = 120.0
_PROBE_TIMEOUT_S = 2.0


class StoreAccessError(RuntimeError):
    """The store cannot be asked, or refused; the message says why and what to do."""


def query(endpoints: Endpoints, sql: str, output: str) -> bytes:
    """The result of one reading query as json (one object a line), csv or table.

    Raises:
        StoreAccessError: refused, failed, or nobody to ask.
    """
    if api_answers(endpoints):
        return _ask_api(endpoints, sql, output)
    return _ask_store(endpoints, sql, output)


def _ask_store(endpoints: Endpoints, sql: str, output: str) -> bytes:
    # Loads the drivers and the engine, a second that the other way need not wait.
    from connectors.clickhouse.client import StoreLockedError
    from connectors.clickhouse.reader import QueryRefusedError, Reader

    address = store_address(endpoints)
    if address.embedded and not address.path.is_dir():
        raise StoreAccessError(f"there is no store at {address.path} yet: start one with `pulse up`")
    reader = Reader(address)
    try:
        return reader.foreign(sql, output)
    except StoreLockedError as error:
        raise StoreAccessError(
            f"{error}, but no API answers at {endpoints.api_url}: see `pulse status`"
        ) from None
    except QueryRefusedError as error:
        raise StoreAccessError(str(error)) from None
    finally:
        reader.close()


def api_answers(endpoints: Endpoints) -> bool:
    """Whether a store process answers at the API's address."""
    try:
        return httpx.get(f"{endpoints.api_url}/healthz", timeout=_PROBE_TIMEOUT_S).is_success
    except httpx.ConnectError:
        return False
    except httpx.HTTPError:
        return True  # somebody listens there; the query itself will tell


def _ask_api(endpoints: Endpoints, sql: str, output: str) -> bytes:
    path = endpoints.pulse_home / "run" / "token"
    token = known_token(path)
    if token is None:
        raise StoreAccessError(f"a stack runs at {endpoints.api_url}, but there is no token at {path}")
    try:
        answer = httpx.post(
            f"{endpoints.api_url}/api/v1/sql",
            json={"query": sql, "format": output},
            headers={"Authorization": f"Bearer {token}"},
            timeout=QUERY_TIMEOUT_S,
        )
    except httpx.HTTPError as error:
        raise StoreAccessError(f"the API at {endpoints.api_url} failed: {error}") from None
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise StoreAccessError(f"the stack at {endpoints.api_url} is not the one whose token is at {path}")
    if not answer.is_success:
        raise StoreAccessError(str(answer.json().get("detail", answer.text)))
    return answer.content
