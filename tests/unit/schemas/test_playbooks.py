from pathlib import Path
from typing import get_args

import pytest
import yaml

from schemas.playbooks import PLAYBOOKS, Language, PlaybookError, load_playbooks, playbooks, told
from schemas.records import AlertKind, Severity


@pytest.mark.parametrize("lang", get_args(Language))
@pytest.mark.parametrize("severity", get_args(Severity))
@pytest.mark.parametrize("kind", get_args(AlertKind))
def test_every_kind_and_severity_has_a_play_in_each_language(
    kind: AlertKind, severity: Severity, lang: Language
) -> None:
    play = told(kind, severity, lang)
    assert play["why"]
    assert play["steps"]
    assert all(action["label"] and "{" not in action["label"] for action in play["actions"])


def test_a_text_is_in_its_language() -> None:
    for kind in get_args(AlertKind):
        for play in playbooks()[kind].plays:
            for text in (play.why, *play.steps):
                assert any("а" <= letter <= "я" for letter in text.ru), text.ru
                assert not any("а" <= letter <= "я" for letter in text.en), text.en


def test_a_grave_raid_prepares_other_actions_than_a_mild_one() -> None:
    mild, grave = (told("attack.raid", severity, "en")["actions"] for severity in ("low", "critical"))
    assert {"type": "slow_mode", "wait_s": 10, "label": "Slow mode, 10 s"} in mild
    assert {"type": "shield_mode", "label": "Shield mode"} in grave
    assert told("attack.raid", "high", "ru")["actions"][-1]["label"].startswith("Закрепить: На нас рейд")


def copied(folder: Path) -> Path:
    for path in PLAYBOOKS.glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_a_missing_playbook_is_named(tmp_path: Path) -> None:
    (copied(tmp_path) / "hype.yaml").unlink()
    with pytest.raises(PlaybookError, match="no playbook for hype"):
        load_playbooks(tmp_path)


def test_a_severity_without_or_with_two_plays_is_refused(tmp_path: Path) -> None:
    path = copied(tmp_path) / "hype.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for severities in (["info"], ["info", "low", "medium", "high"]):
        content["plays"][0]["severities"] = severities
        path.write_text(yaml.safe_dump(content))
        with pytest.raises(PlaybookError, match=r"hype\.yaml.*exactly one play|exactly one play"):
            load_playbooks(tmp_path)


@pytest.mark.parametrize("broken", ["- [", "kind: nothing", "{kind: mention, plays: []}"])
def test_what_is_no_playbook_is_refused_with_the_file_s_name(tmp_path: Path, broken: str) -> None:
    (copied(tmp_path) / "hype.yaml").write_text(broken)
    with pytest.raises(PlaybookError, match=r"hype\.yaml"):
        load_playbooks(tmp_path)
