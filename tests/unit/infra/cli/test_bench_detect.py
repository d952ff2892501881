import json
from pathlib import Path

from typer.testing import CliRunner

from infra.cli.bench import app


def test_one_json_line_with_rate_settings_and_machine(tmp_path: Path) -> None:
    recording = tmp_path / "chat.jsonl"
    lines = (
        {"stream": "c/1", "offset_ms": n, "author": "a", "text": f"line number {n} of a chat"}
        for n in range(50)
    )
    recording.write_text("\n".join(map(json.dumps, lines)))
    run = CliRunner().invoke(
        app,
        ["detect", "--only", "throughput", "--input", str(recording), "--messages", "40", "--channels", "3"],
    )
    assert run.exit_code == 0, run.output
    found = json.loads(run.stdout)
    assert found["messages"] == 40
    assert found["messages_per_s"] > 0
    assert found["settings"]["channels"] == 3
    assert found["machine"]["cores"] >= 1


def test_a_file_without_chat_is_named_as_the_fault(tmp_path: Path) -> None:
    recording = tmp_path / "empty.jsonl"
    recording.write_text("\n")
    run = CliRunner().invoke(app, ["detect", "--input", str(recording)])
    assert run.exit_code == 1
    assert "no chat line" in run.output
