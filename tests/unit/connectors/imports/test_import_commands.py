import gzip
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.detect import app as detect
from infra.cli.import_chat import app as import_chat
from infra.cli.import_inputs import as_recordings
from infra.cli.replay import app as replay
from tests.unit.connectors.imports.exports import (
    comment,
    privmsg,
    telegram,
    telegram_message,
    twitch_downloader,
)

SHARED = Path(os.environ.get("PULSE_SHARED", Path(__file__).parents[5] / "shared"))
REAL = SHARED / "data" / "logs" / "channel_f.irc.gz"
runner = CliRunner()


def flood() -> bytes:
    """Quiet chat, then one account that floods."""
    quiet = [comment(n * 3.0, f"hello number {n}", commenter={"name": f"u{n % 40}"}) for n in range(300)]
    loud = [comment(900 + n / 5, "BUY FOLLOWERS NOW", commenter={"name": "bad"}) for n in range(200)]
    return twitch_downloader(*quiet, *loud)


def test_import_writes_a_file_or_stdout_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_bytes(twitch_downloader(comment(2, "b"), comment(1, "a"), {"content_offset_seconds": "x"}))
    result = runner.invoke(import_chat, [str(path)])
    assert result.exit_code == 0
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == ["a", "b"]
    assert "chat.json:item 3: wrong_type: `content_offset_seconds` is no number" in result.stderr
    counts = {"lines": 2, "refused": 1, "skipped": 0, "formats": ["twitch-downloader"]}
    assert json.loads(result.stderr.splitlines()[-1]) == counts

    output = tmp_path / "out.jsonl.gz"
    result = runner.invoke(import_chat, [str(path), "--output", str(output)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert len(gzip.decompress(output.read_bytes()).splitlines()) == 2


def test_import_reads_standard_input() -> None:
    result = runner.invoke(import_chat, ["-"], input=telegram(telegram_message(1_714_586_412, "hi")))
    assert json.loads(result.stdout)["text"] == "hi"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["/no/such/file"], "no such file"),
        (["FILE"], "none of the known formats"),
        (["FILE", "--format", "x"], "known: twitch-downloader"),
    ],
)
def test_import_says_what_is_wrong(tmp_path: Path, arguments: list[str], told: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"12:03 <alice> hello")
    result = runner.invoke(import_chat, [argument.replace("FILE", str(path)) for argument in arguments])
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.replace("│", " ").split())


def test_detect_takes_an_export_as_its_conversion(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_bytes(flood())
    converted = tmp_path / "chat.jsonl"
    assert runner.invoke(import_chat, [str(path), "--output", str(converted)]).exit_code == 0
    direct = runner.invoke(detect, ["--no-model", str(path)])
    assert direct.exit_code == 0
    assert direct.stdout == runner.invoke(detect, ["--no-model", str(converted)]).stdout
    kinds = {json.loads(line)["kind"] for line in direct.stdout.splitlines()}
    assert "flood.account" in kinds
    assert runner.invoke(detect, ["--no-model"], input=path.read_bytes()).stdout == direct.stdout


def test_commands_that_need_times_refuse_files_without(tmp_path: Path) -> None:
    path = tmp_path / "log.irc"
    path.write_bytes(b":u!u@u PRIVMSG #c :hi\n")
    converted = tmp_path / "log.jsonl"
    assert runner.invoke(import_chat, [str(path), "--output", str(converted)]).exit_code == 0
    for file in (path, converted):
        for command, arguments in ((detect, ["--no-model", str(file)]), (replay, [str(file)])):
            result = runner.invoke(command, arguments)
            assert result.exit_code == 1
            assert "does not say when its lines were said" in result.stderr


def test_a_conversion_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(privmsg(1_714_586_412_345, "hi").encode())
    (made,) = as_recordings([path], tmp_path / "imports", "pulse replay")
    assert (made.stat().st_mode & 0o777, made.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    before = made.stat()
    assert as_recordings([path], tmp_path / "imports", "pulse replay") == [made]
    assert made.stat().st_mtime_ns == before.st_mtime_ns  # a resumed run wants the same file
    path.write_bytes(path.read_bytes() * 2)
    assert as_recordings([path], tmp_path / "imports", "pulse replay") != [made]
    recorded = tmp_path / "r.jsonl"
    recorded.write_bytes(made.read_bytes())
    assert as_recordings([recorded], tmp_path / "imports", "pulse replay") == [recorded]


@pytest.mark.data
@pytest.mark.skipif(not REAL.exists(), reason="needs ../shared/data/logs/channel_f.irc.gz")
def test_real_irc_lines(tmp_path: Path) -> None:
    result = runner.invoke(import_chat, [str(REAL)])
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert json.loads(result.stderr.splitlines()[-1]) == {
        "lines": 4557,
        "refused": 0,
        "skipped": 0,
        "formats": ["irc"],
    }
    raw = gzip.decompress(REAL.read_bytes()).decode().splitlines()
    said = [line.split(" :", 1)[1] for line in raw]
    assert [line["text"] for line in lines] == [
        text.removeprefix("\x01ACTION ").removesuffix("\x01") for text in said
    ]
    assert {line["stream"] for line in lines} == {"channel_f/0"}
    assert all(line["offset_ms"] is None and line["author"] for line in lines)
