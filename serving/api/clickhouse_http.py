"""ClickHouse's HTTP interface, read-only, so that Grafana and the drivers work on the embedded store.

Spoken as documented on ClickHouse's page "HTTP interface": GET or POST with `query` or the body, `param_*`,
`default_format`, `X-ClickHouse-*` headers, exceptions with their code, `/ping`. At `/clickhouse/`, and at `/`
where a request can only be meant for it (a POST, or a `query`).
"""

import asyncio
import base64
import binascii
import gzip
import hmac
import json
import re
import uuid
import zlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import lz4.frame  # type: ignore[import-untyped]
import zstandard
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.api.clickhouse_http_native import UnknownTypeError, at_revision

PREFIX: Final = "/clickhouse"
MAX_BODY_BYTES: Final = 1 << 20
"""Longest query text; ClickHouse's own max_query_size is 256 KiB."""

_CODE: Final = re.compile(r"Code: (\d+)\. DB::")
_STATUS: Final = {62: 400, 26: 400, 36: 400, 60: 404, 81: 404, 46: 404, 47: 404, 164: 403, 344: 501, 516: 403}
_TYPES: Final = {
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "Parquet": "application/octet-stream",
    "Arrow": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
}
_ENCODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=1).compress(body),
    "lz4": lz4.frame.compress,
    "gzip": lambda body: gzip.compress(body, compresslevel=1, mtime=0),
    "deflate": lambda body: zlib.compress(body, level=1),
}
"""In the order in which ours is chosen where a client takes several."""


class Answer(Protocol):
    """A result as bytes and the name of their format."""

    @property
    def body(self) -> bytes:
        """The bytes."""

    @property
    def output(self) -> str:
        """ClickHouse's name of the format."""


class QuerySource(Protocol):
    """Runs somebody's query, read-only and limited; any number of threads.

    A ValueError is the query's fault, its message ClickHouse's own; a RuntimeError is ours and may pass.
    """

    def ask(
        self, sql: str, output: str, *, parameters: Mapping[str, str], settings: Mapping[str, str]
    ) -> Answer:
        """Run one query; settings that the store does not allow are dropped."""


class _Refusal(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class ClickHouseHttp:
    """ASGI middleware: answers requests meant for ClickHouse, hands all others on.

    The password (X-ClickHouse-Key, or Basic) or bearer is the API's token; the user's name is not looked at.
    """

    def __init__(self, app: ASGIApp, source: QuerySource, token: str) -> None:
        self._app, self._source, self._token = app, source, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not _is_ours(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        query_id = request.query_params.get("query_id") or str(uuid.uuid4())
        try:
            response = await self._answer(request)
        except _Refusal as refusal:
            response = _exception(refusal)
        response.headers["X-ClickHouse-Query-Id"] = re.sub(r"[^\w.-]", "", query_id)[:128]
        response.headers["X-ClickHouse-Server-Display-Name"] = "pulse"
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path.rstrip("/").endswith("/ping"):
            return PlainTextResponse("Ok.\n")
        if request.method not in ("GET", "HEAD", "POST"):
            raise _Refusal(164, f"{request.method} is refused: this interface only reads")
        if not self._allowed(request.headers):
            raise _Refusal(516, "pulse: Authentication failed: the password is the token of the API")
        asked = request.query_params
        sql = "\n".join(part for part in (asked.get("query", ""), await _text(request)) if part)
        if not sql.strip():
            return PlainTextResponse("Ok.\n")
        if asked.get("compress", "0") not in ("0", "false"):
            raise _Refusal(344, "compress=1 (native framing) is not spoken here: use Accept-Encoding")
        if asked.get("readonly") in ("0", "2"):
            raise _Refusal(164, "Cannot modify 'readonly' setting in readonly mode")
        return await self._run(request, sql)

    async def _run(self, request: Request, sql: str) -> Response:
        asked = request.query_params
        output = request.headers.get("x-clickhouse-format") or asked.get("default_format") or "TabSeparated"
        if not re.fullmatch(r"\w{1,64}", output):
            raise _Refusal(73, f"Unknown format {output[:64]!r}")
        named = {name[6:]: value for name, value in asked.items() if name.startswith("param_")}
        others = {name: value for name, value in asked.items() if not name.startswith("param_")}
        try:
            answer = await asyncio.to_thread(self._source.ask, sql, output, parameters=named, settings=others)
        except ValueError as error:
            raise _Refusal(_code(str(error)), str(error)) from error
        except (RuntimeError, OSError) as error:
            raise _Refusal(202, f"Too many simultaneous queries or no store: {error}") from error
        body = answer.body
        if answer.output == "Native":
            try:
                body = at_revision(body, _number(asked.get("client_protocol_version")))
            except UnknownTypeError as error:
                raise _Refusal(344, str(error)) from error
        response = Response(body, media_type=_TYPES.get(answer.output, "text/plain; charset=UTF-8"))
        response.headers["X-ClickHouse-Format"] = answer.output
        response.headers["X-ClickHouse-Timezone"] = "UTC"
        response.headers["X-ClickHouse-Summary"] = json.dumps({"result_bytes": str(len(answer.body))})
        return _encoded(response, request)

    def _allowed(self, headers: Headers) -> bool:
        given = headers.get("x-clickhouse-key", "")
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            given = credential.strip()
        elif scheme.lower() == "basic":
            try:
                given = base64.b64decode(credential, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        return hmac.compare_digest(given.encode(), self._token)


def _is_ours(scope: Scope) -> bool:
    path = scope["path"]
    if path == "/ping" or path == PREFIX or path.startswith(f"{PREFIX}/"):
        return True
    if path != "/":
        return False
    return scope["method"] == "POST" or b"query=" in scope["query_string"]


async def _text(request: Request) -> str:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _Refusal(62, f"the query is longer than {MAX_BODY_BYTES} bytes")
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise _Refusal(344, "external tables (multipart) are not spoken here")
    encoding = request.headers.get("content-encoding", "identity")
    try:
        if encoding == "gzip":
            unpacker = zlib.decompressobj(wbits=31)
            body = bytearray(unpacker.decompress(bytes(body), MAX_BODY_BYTES))
            if unpacker.unconsumed_tail:
                raise _Refusal(62, f"the query is longer than {MAX_BODY_BYTES} bytes")
        elif encoding != "identity":
            raise _Refusal(
                344, f"a request with Content-Encoding {encoding[:20]} is not spoken here: use gzip"
            )
        return body.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise _Refusal(62, "the query is neither UTF-8 nor gzip of it") from error


def _encoded(response: Response, request: Request) -> Response:
    """Compress as ClickHouse does: only where the client asks by enable_http_compression=1."""
    if request.query_params.get("enable_http_compression") not in ("1", "true"):
        return response
    taken = {
        part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").lower().split(",")
    }
    for name, encode in _ENCODERS.items():
        if name in taken and response.body:
            response.body = encode(bytes(response.body))
            response.headers["Content-Encoding"] = name
            response.headers["Content-Length"] = str(len(response.body))
            return response
    return response


def _exception(refusal: _Refusal) -> Response:
    message = refusal.message
    if not _CODE.search(message):
        message = f"Code: {refusal.code}. DB::Exception: {message}"
    return PlainTextResponse(
        f"{message.rstrip()}\n",
        _STATUS.get(refusal.code, 500),
        {"X-ClickHouse-Exception-Code": str(refusal.code)},
    )


def _code(message: str) -> int:
    """The engine's code; 164 (READONLY) for what we refuse ourselves."""
    found = _CODE.search(message)
    return int(found[1]) if found else 164


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
