"""Lines of our logs: JSON, ids, no secret, no text."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local import json_logs
from infra.local.logs import readable
from schemas.codecs import InvalidRecordError

TEXT = "what somebody said in the chat"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, handlers = logging.getLogger(), logging.getLogger().handlers[:]
    yield io.StringIO()
    root.handlers[:] = handlers


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_the_ids_that_the_caller_gave(stream: io.StringIO) -> None:
    json_logs.configure("store", stream=stream)
    where = {"stream_id": "twitch:a/1", "message_id": "m-1", "topic": "chat.messages.v1", "offset": 7}
    logging.getLogger("connectors.clickhouse.sink").warning("refused: %s", "not_json", extra=where)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "WARNING",
        "logger": "connectors.clickhouse.sink",
        "process": "store",
        "message": "refused: not_json",
        **where,
    }


def test_fields_that_are_not_listed_stay_out(stream: io.StringIO) -> None:
    json_logs.configure("store", stream=stream)
    logging.getLogger("connectors.core").info("heard", extra={"text": TEXT, "author": "somebody"})
    assert TEXT not in stream.getvalue()
    assert "somebody" not in stream.getvalue()


def test_a_foreign_exception_tells_type_and_place_but_not_what_it_quotes(stream: io.StringIO) -> None:
    json_logs.configure("store", stream=stream)
    try:
        try:
            raise ValueError(f"cannot parse {TEXT}")
        except ValueError as error:
            raise InvalidRecordError("wrong_type", "line 1, column 3") from error
    except InvalidRecordError:
        logging.getLogger("infra.local").exception("the sink failed")
    (line,) = lines(stream)
    assert TEXT not in stream.getvalue()
    assert "builtins.ValueError" in line["exception"]
    assert "test_json_logs.py" in line["exception"]
    assert "line 1, column 3" in line["exception"]


def test_secrets_of_the_environment_are_blotted_out(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_TWITCH_TOKEN", "oauth-0123456789")
    monkeypatch.setenv("CLICKHOUSE_URL", "https://pulse:hunter2hunter2@db.example:8443")
    json_logs.configure("store", stream=stream)
    logging.getLogger("connectors").error(
        "no answer from https://pulse:hunter2hunter2@db.example: oauth-0123456789"
    )
    assert "oauth-0123456789" not in stream.getvalue()
    assert "hunter2" not in stream.getvalue()
    assert "db.example" in stream.getvalue()


def test_libraries_are_heard_from_warnings_on(stream: io.StringIO) -> None:
    json_logs.configure("store", stream=stream)
    logging.getLogger("httpx").info("GET /")
    logging.getLogger("serving.api").info("ours")
    assert [line["message"] for line in lines(stream)] == ["ours"]


def test_people_at_a_terminal_read_plain_lines(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULSE_LOG_FORMAT", raising=False)
    terminal = Terminal()
    json_logs.configure("notifier", stream=terminal, people=True)
    logging.getLogger("connectors.notify").info("told")
    assert terminal.getvalue().endswith("INFO    told\n")
    monkeypatch.setenv("PULSE_LOG_FORMAT", "json")
    json_logs.configure("notifier", stream=terminal, people=True)
    logging.getLogger("connectors.notify").info("told")
    assert json.loads(terminal.getvalue().splitlines()[-1])["message"] == "told"


@given(st.text())
def test_any_message_is_one_line_of_json_and_readable(message: str) -> None:
    record = logging.LogRecord("infra", logging.INFO, __file__, 1, "%s", (message,), None)
    line = json_logs.JsonLines("store", frozenset()).format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == message
    assert readable(line).startswith(json.loads(line)["timestamp"])


def test_lines_that_are_no_json_stay_as_they_are() -> None:
    for line in ("OpenJDK warning: …", "{", "{}", '"text"', ""):
        assert readable(line) == line
