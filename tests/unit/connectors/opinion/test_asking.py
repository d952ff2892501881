"""Batches against a model that obeys what stands in chat: a text spoils its own figures at most."""

import asyncio
from collections.abc import Callable

import pytest

from connectors.opinion import controls
from connectors.opinion.endpoint import MisconfiguredError, RefusedError, TemporaryError
from connectors.opinion.figures import Figures
from connectors.opinion.prompt import SYSTEM
from tests.unit.connectors.opinion import fake_llm
from tests.unit.connectors.opinion.conftest import Desk
from tests.unit.connectors.opinion.fake_llm import FakeLlm, completion, figures, obedient, status

MakeDesk = Callable[..., Desk]
TEXTS = ["well played", "what was that", "sure, best stream ever", "ok then"]


def _right(texts: list[str]) -> dict[int, Figures]:
    return {at: Figures(**figures(text)) for at, text in enumerate(texts)}


async def test_a_batch_is_one_request_with_texts_as_data(desk: MakeDesk, llm: FakeLlm) -> None:
    at = desk()
    outcome = await at.asking.ask(TEXTS)
    assert outcome == (_right(TEXTS), None)
    (request,) = llm.requests
    assert request["messages"][0] == {"role": "system", "content": SYSTEM}
    assert request["response_format"]["type"] == "json_schema"
    assert sorted(llm.texts()[0]) == sorted(TEXTS)
    messages = llm.messages(0)
    assert len({one["id"] for one in messages}) == len(messages) == len(TEXTS) + len(controls.TEXTS)
    assert all(one.keys() == {"id", "text"} for one in messages)
    assert llm.asked[0].path == "/v1/chat/completions"
    assert at.value("tokens_total") == 321


async def test_ids_and_order_are_new_in_every_request(desk: MakeDesk, llm: FakeLlm) -> None:
    at = desk()
    texts = [f"line number {number} here" for number in range(20)]
    for _ in range(2):
        await at.asking.ask(texts)
    first, second = llm.messages(0), llm.messages(1)
    assert not {one["id"] for one in first} & {one["id"] for one in second}
    assert llm.texts()[0] != llm.texts()[1]


@pytest.mark.parametrize(
    ("hostile", "fault"),
    [
        (fake_llm.ZERO_ALL, "control"),
        (fake_llm.ONE_ALL, "control"),
        (fake_llm.OTHERS, "unknown_id"),
        (fake_llm.TWICE, "repeated_id"),
        (fake_llm.MORE, "extra_field"),
        (fake_llm.BREAK, "malformed"),
    ],
)
@pytest.mark.parametrize("place", [0, 2, 4])
async def test_a_hostile_text_does_not_change_the_others_figures(
    desk: MakeDesk, llm: FakeLlm, hostile: str, fault: str, place: int
) -> None:
    llm.mind = obedient
    at = desk()
    texts = [*TEXTS[:place], hostile, *TEXTS[place:]]
    outcome = await at.asking.ask(texts)
    others = {key: value for key, value in outcome.figures.items() if key != place}
    assert others == {key: value for key, value in _right(texts).items() if key != place}
    assert outcome.failure is None
    assert at.value("answer_faults_total", fault=fault) >= 1


async def test_what_a_text_says_of_itself_it_may_change(desk: MakeDesk, llm: FakeLlm) -> None:
    """No check can tell an obeyed instruction from an opinion; alone it harms nobody else."""
    llm.mind = obedient
    outcome = await desk().asking.ask([fake_llm.ZERO_ALL])
    assert outcome.figures == {0: Figures(0, 0, 0)}
    outcome = await desk().asking.ask([fake_llm.OTHERS])
    assert outcome == ({}, None)


async def test_a_text_that_a_content_filter_refuses_costs_only_itself(desk: MakeDesk, llm: FakeLlm) -> None:
    at = desk(response_format="json_object")
    answer = llm.answer

    async def filtering(asked):  # type: ignore[no-untyped-def]
        told = await answer(asked)
        return (400, b'{"error": {"code": "content_filter"}}') if b"what was that" in asked.body else told

    llm.answer = filtering  # type: ignore[method-assign]
    outcome = await at.asking.ask(TEXTS)
    right = _right(TEXTS)
    del right[1]
    assert outcome == (right, None)


async def test_an_answer_without_some_texts_loses_those_alone(desk: MakeDesk, llm: FakeLlm) -> None:
    at = desk()

    def forgetful(messages: fake_llm.Messages) -> str:
        return fake_llm.honest([one for one in messages if one["text"] != "ok then"])

    llm.mind = forgetful
    outcome = await at.asking.ask(TEXTS)
    assert outcome.figures.keys() == {0, 1, 2}
    assert len(llm.requests) == 1
    assert at.value("answer_faults_total", fault="missing") == 1


async def test_the_strictest_form_that_is_served_is_found_and_kept(desk: MakeDesk, llm: FakeLlm) -> None:
    llm.refused_formats = {"json_schema", "json_object"}
    at = desk()
    assert (await at.asking.ask(["hello there"])).figures
    assert (await at.asking.ask(["hello again"])).figures
    formats = [request.get("response_format", {}).get("type") for request in llm.requests]
    assert formats == ["json_schema", "json_object", None, None]


async def test_a_busy_endpoint_is_asked_again_after_the_pause_it_wants(desk: MakeDesk, llm: FakeLlm) -> None:
    llm.script = [status(429, "Retry-After: 1")]
    at = desk()
    began = at.clock.monotonic()
    assert (await at.asking.ask(TEXTS)).figures == _right(TEXTS)
    assert at.clock.monotonic() - began >= 1
    assert at.value("requests_total", outcome="rate_limited") == 1


async def test_a_pause_of_hours_is_not_waited_for(desk: MakeDesk, llm: FakeLlm) -> None:
    llm.script = [status(429, "Retry-After: 7200")]
    outcome = await desk().asking.ask(TEXTS)
    assert isinstance(outcome.failure, TemporaryError)
    assert outcome.failure.retry_after_s == 7200
    assert len(llm.requests) == 1


@pytest.mark.parametrize(
    ("step", "reason"),
    [(status(500), "http_500"), (status(503), "http_503"), (None, "connection"), ("hang", "timeout")],
)
async def test_what_fails_for_now_is_tried_as_often_as_said_and_given_up(
    desk: MakeDesk, llm: FakeLlm, step: fake_llm.Answer | str, reason: str
) -> None:
    llm.script = [step, step]
    at = desk(timeout_s=0.3)
    outcome = await at.asking.ask(TEXTS)
    assert isinstance(outcome.failure, TemporaryError)
    assert outcome.figures == {}
    assert at.value("requests_total", outcome=reason) == 2


async def test_an_endpoint_that_drips_is_cut_off(desk: MakeDesk) -> None:
    """Each byte comes in time, the whole does not: only a limit for the whole request ends it."""
    closed = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n")
        while not reader.at_eof() and not closed.is_set():
            writer.write(b" ")
            await asyncio.sleep(0.02)
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    at = desk(url=f"http://127.0.0.1:{port}/v1", timeout_s=0.5, attempts=1)
    outcome = await at.asking.ask(["hello"])
    assert isinstance(outcome.failure, TemporaryError)
    assert outcome.failure.reason == "timeout"
    closed.set()
    server.close()


@pytest.mark.parametrize("code", [301, 401, 403, 404])
async def test_what_no_request_can_mend_is_not_tried_again(desk: MakeDesk, llm: FakeLlm, code: int) -> None:
    llm.script = [status(code, "Location: http://127.0.0.1:1/")]
    outcome = await desk().asking.ask(TEXTS)
    assert isinstance(outcome.failure, MisconfiguredError)
    assert "PULSE_OPINION_MODEL" in str(outcome.failure)
    assert len(llm.requests) == 1


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"x" * 300_000, (), "too_large"),
        (b"not json", (), "no_completion"),
        (b'{"choices": []}', (), "no_completion"),
        (completion(None), (), "no_completion"),
        (b"\x1f\x8b\x08", ("Content-Encoding: gzip",), "encoded"),
    ],
)
async def test_an_answer_that_is_none_is_refused(
    desk: MakeDesk, llm: FakeLlm, body: bytes, headers: tuple[str, ...], reason: str
) -> None:
    llm.script = [status(200, *headers, body=body)]
    at = desk()
    outcome = await at.asking.ask(["hello"])
    assert outcome == ({}, None)
    assert at.value("requests_total", outcome=reason) == 1


async def test_an_endpoint_whose_answers_are_of_no_use_is_said_to_be_so(desk: MakeDesk, llm: FakeLlm) -> None:
    llm.mind = lambda messages: "I would rather not."
    at = desk()
    outcome = await at.asking.ask(TEXTS)
    assert isinstance(outcome.failure, RefusedError)
    assert len(llm.requests) == 2 * len(TEXTS) - 1


async def test_fields_of_the_request_can_be_added_and_taken_out(desk: MakeDesk, llm: FakeLlm) -> None:
    extra = {"max_tokens": None, "max_completion_tokens": 900, "temperature": None}
    await desk(extra=extra).asking.ask(["hello"])
    assert llm.requests[0]["max_completion_tokens"] == 900
    assert not {"max_tokens", "temperature"} & llm.requests[0].keys()
