"""One request to an OpenAI-compatible endpoint: bounded in time and size; its errors hold no content."""

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

import httpx
import msgspec

from connectors.core.clock import Clock, within
from connectors.notify.webhook import retry_after_s
from connectors.opinion.prompt import RESPONSE_FORMATS, request
from connectors.opinion.settings import OpinionSettings

MAX_ANSWER_BYTES: Final = 262_144
"""Some hundred times what an answer needs."""
_TEMPORARY: Final = (408, 409, 425, 429)
_REFUSED: Final = (400, 413, 422)
"""The endpoint dislikes this request, which may be one text's fault (a content filter answers 400)."""


class EndpointError(Exception):
    """No answer; the text says why, without content and without the key. `reason` is a word for metrics."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class TemporaryError(EndpointError):
    """Trying again may help; `retry_after_s` is the endpoint's wish."""

    def __init__(self, reason: str, detail: str, retry_after_s: float = 0) -> None:
        super().__init__(reason, detail)
        self.retry_after_s = retry_after_s


class RefusedError(EndpointError):
    """This request is refused or its answer is none; other texts may fare better."""


class MisconfiguredError(EndpointError):
    """Address, key or model are wrong: no request will help."""


class Completion(NamedTuple):
    """What the model wrote, and how many tokens the endpoint counts for request and answer (0: not said)."""

    content: str
    tokens: int


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Usage(msgspec.Struct):
    total_tokens: int = 0


class _Envelope(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


class Endpoint:
    """Speaks to the endpoint of the settings; no retries, no limits."""

    def __init__(self, settings: OpinionSettings, client: httpx.AsyncClient, clock: Clock) -> None:
        self._settings, self._client, self._clock = settings, client, clock
        self._address = f"{settings.url.rstrip('/')}/chat/completions"
        auto = settings.response_format == "auto"
        self._formats = list(RESPONSE_FORMATS) if auto else [settings.response_format]
        """Those still to be tried, the strictest first; one remains once it has worked."""

    async def complete(self, texts: Mapping[str, str]) -> Completion:
        """Ask about these texts, by id.

        Where an endpoint refuses the strictest form of an answer before any request has succeeded, the next
        one is tried.

        Raises:
            TemporaryError: 429, 5xx, a timeout, a connection that failed.
            RefusedError: 400, 413, 422; an answer that is too large or no chat completion.
            MisconfiguredError: any other status, redirects included.
        """
        refused: RefusedError | None = None
        for response_format in tuple(self._formats):
            try:
                body = await within(self._clock, self._settings.timeout_s, self._post(texts, response_format))
            except RefusedError as error:
                if error.reason not in ("http_400", "http_422"):
                    raise
                refused = error
                continue
            except TimeoutError:
                raise TemporaryError("timeout", f"no answer within {self._settings.timeout_s:g} s") from None
            self._formats = [response_format]
            return _completion(body)
        assert refused is not None, "there is at least one form"
        raise refused

    async def _post(self, texts: Mapping[str, str], response_format: str) -> bytes:
        settings = self._settings
        content = request(settings.model, texts, response_format, settings.extra)
        # a compressed answer could be small on the way and huge here
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "pulse"}
        if settings.api_key is not None:
            headers["Authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
        try:
            async with self._client.stream(
                "POST",
                self._address,
                content=json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"),
                headers=headers,
                timeout=settings.timeout_s,
            ) as answer:
                self._check(answer)
                return await _bounded(answer)
        except httpx.TimeoutException:
            raise TemporaryError("timeout", f"no answer within {settings.timeout_s:g} s") from None
        except httpx.TransportError as error:
            raise TemporaryError("connection", f"the connection failed ({type(error).__name__})") from None

    def _check(self, answer: httpx.Response) -> None:
        code = answer.status_code
        if code == httpx.codes.OK:
            return
        if code in _REFUSED:
            raise RefusedError(f"http_{code}", f"it refused a request ({code})")
        if code in _TEMPORARY or code >= 500:
            wait = retry_after_s(answer.headers.get("Retry-After"), self._clock.now_ms())
            raise TemporaryError(
                "rate_limited" if code == 429 else f"http_{code}", f"it answered {code}", wait
            )
        raise MisconfiguredError(
            f"http_{code}",
            f"it answered {code}; check PULSE_OPINION_URL, PULSE_OPINION_MODEL and PULSE_OPINION_API_KEY",
        )


async def _bounded(answer: httpx.Response) -> bytes:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise RefusedError("encoded", "its answer is compressed, which was not asked for")
    body = bytearray()
    async for part in answer.aiter_raw():
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise RefusedError("too_large", f"its answer is larger than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _completion(body: bytes) -> Completion:
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise RefusedError("no_completion", "its answer is no chat completion") from None
    content = envelope.choices[0].message.content if envelope.choices else None
    if content is None:
        raise RefusedError("no_completion", "the model wrote nothing")
    return Completion(content, max(0, envelope.usage.total_tokens) if envelope.usage else 0)
