import json

import pytest
from typer.testing import CliRunner

from infra.cli.playbook import app


def test_it_prints_the_steps_in_the_chosen_language() -> None:
    shown = CliRunner().invoke(app, ["attack.raid", "--severity", "high", "--lang", "ru"])
    assert shown.exit_code == 0
    assert "1. Включите режим щита" in shown.stdout
    assert "[shield_mode] Режим щита" in shown.stdout


def test_json_is_one_object() -> None:
    shown = CliRunner().invoke(app, ["hype", "--format", "json"])
    assert json.loads(shown.stdout)["severity"] == "medium"


@pytest.mark.parametrize("wrong", [["nothing"], ["hype", "--severity", "huge"], ["hype", "--lang", "xx"]])
def test_unknown_words_are_usage_errors(wrong: list[str]) -> None:
    assert CliRunner().invoke(app, wrong).exit_code == 2
