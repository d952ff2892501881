"""`pulse score` as a user calls it: files, gzip, pipes, exit codes."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.serving.scorer.stub_model import write_stub_model

PULSE = [sys.executable, "-m", "infra.cli.main", "score"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stub_model(tmp_path_factory.mktemp("models") / "stub")


def _run(model: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PULSE, "--model", str(model), *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_one_line_out_per_line_in_from_a_pipe(model: Path) -> None:
    lines = [
        b'{"id": 1, "text": "hello"}',
        b"broken",
        b"",
        b'{"id": 2, "text": ""}',
        b'{"id": 3, "text": "last"}',
    ]
    done = _run(model, stdin=b"\n".join(lines))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [answer["id"] for answer in answers] == [1, None, None, 2, 3]
    assert [answer.get("abstained") for answer in answers] == [False, None, None, True, False]
    assert b"2 of 5 lines were invalid" in done.stderr


def test_strict_fails_on_invalid_lines_after_answering_all(model: Path) -> None:
    done = _run(model, "--strict", stdin=b'bad\n{"id": 1, "text": "x"}\n')
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2


def test_files_plain_and_gzip_in_order(model: Path, tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b"
    plain.write_bytes(b'{"id": "a", "text": "x"}\n')
    packed.write_bytes(
        gzip.compress(b'{"id": "b", "text": "y"}') + gzip.compress(b'\n{"id": "c", "text": "z"}')
    )
    done = _run(model, str(plain), str(packed))
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["a", "b", "c"]
    assert done.stderr == b""


def test_gzip_on_a_pipe(model: Path) -> None:
    done = _run(model, stdin=gzip.compress(b'{"id": 1, "text": "x"}\n'))
    assert json.loads(done.stdout)["id"] == 1


def test_a_slow_pipe_is_answered_before_it_ends(model: Path) -> None:
    with subprocess.Popen(
        [*PULSE, "--model", str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        for identity in range(3):
            process.stdin.write(json.dumps({"id": identity, "text": "hello"}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == identity
        process.stdin.close()
        assert process.wait(timeout=300) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["no-such-file"], b"no such file"), (["--model", "no-such-model"], b"no model at")],
)
def test_usage_errors_say_what_is_wrong(arguments: list[str], says: bytes) -> None:
    done = subprocess.run([*PULSE, *arguments], input=b"", capture_output=True, timeout=300, check=False)
    assert done.returncode == 2
    assert says in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_torn_gzip_file_is_named(model: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(b'{"id": 1, "text": "x"}\n' * 100)[:-12])
    done = _run(model, str(torn))
    assert done.returncode == 1
    assert b"torn.gz" in done.stderr
    assert b"Traceback" not in done.stderr


def test_no_valid_line_at_all_fails(model: Path) -> None:
    done = _run(model, stdin=b"bad\nworse\n")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
