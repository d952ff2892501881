from pathlib import Path

import pytest
import yaml

from connectors.notify.config import EXAMPLE, NotifyConfigError, load_config, secrets_of

HOOK = {"name": "hook", "kind": "webhook", "url": "https://example.org/hook"}
BOT = {"name": "bot", "kind": "telegram", "token_env": "TOKEN", "chat": -100}
RULE = {"name": "all", "to": ["hook"]}


def written(folder: Path, content: object) -> Path:
    path = folder / "notify.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def test_the_example_is_valid_and_names_only_variables() -> None:
    example = load_config(EXAMPLE)
    assert {target.kind for target in example.targets} == {"webhook", "telegram"}
    variables = {
        "PULSE_NOTIFY_TELEGRAM_TOKEN": "t",
        "PULSE_NOTIFY_ONCALL_URL": "http://x",
        "PULSE_NOTIFY_ONCALL_SECRET": "s",
    }
    assert secrets_of(example, variables) == variables


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"targets": []}, ["targets"]),
        ({"rules": []}, ["rules"]),
        ({"rules": [RULE | {"to": ["nobody"]}]}, ["`all`", "nobody"]),
        ({"rules": [RULE, RULE]}, ["more than once", "all"]),
        ({"rules": [RULE | {"kinds": ["attacks"]}]}, ["no alert kind", "attack.raid"]),
        ({"rules": [RULE | {"severity": "grave"}]}, ["severity", "critical"]),
        ({"rules": [RULE | {"unknown": 1}]}, ["rules.0.unknown"]),
        ({"targets": [HOOK | {"url_env": "URL"}]}, ["either `url` or `url_env`"]),
        ({"targets": [HOOK | {"url": "ftp://x"}]}, ["url"]),
        ({"targets": [HOOK | {"secret_env": "not a name"}]}, ["secret_env"]),
        ({"targets": [HOOK | {"kind": "pigeon"}]}, ["webhook", "telegram"]),
        ({"targets": [HOOK, BOT | {"chat": "no-at-sign"}]}, ["chat"]),
        ({"targets": [HOOK | {"timezone": "Nowhere"}]}, ["no time zone"]),
        ({"version": 2}, ["version"]),
    ],
)
def test_errors_name_the_field(tmp_path: Path, change: dict[str, object], words: list[str]) -> None:
    path = written(tmp_path, {"version": 1, "targets": [HOOK], "rules": [RULE]} | change)
    with pytest.raises(NotifyConfigError) as caught:
        load_config(path)
    assert all(word in str(caught.value) for word in (str(path), *words)), caught.value


def test_a_secret_put_into_the_file_is_not_repeated(tmp_path: Path) -> None:
    path = written(tmp_path, {"version": 1, "targets": [BOT | {"token_env": "123:hunter2"}], "rules": [RULE]})
    with pytest.raises(NotifyConfigError) as caught:
        load_config(path)
    assert "hunter2" not in str(caught.value)


def test_no_yaml_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotifyConfigError, match="is not YAML"):
        load_config(written(tmp_path, "a: [b"))
    with pytest.raises(NotifyConfigError, match=r"notify\.example\.yaml"):
        load_config(tmp_path / "missing.yaml")


def test_missing_secrets_are_all_named(tmp_path: Path) -> None:
    hook = {"name": "hook", "kind": "webhook", "url_env": "HOOK_URL", "secret_env": "HOOK_SECRET"}
    path = written(tmp_path, {"version": 1, "targets": [hook, BOT], "rules": [RULE]})
    with pytest.raises(NotifyConfigError) as caught:
        secrets_of(load_config(path), {"HOOK_SECRET": "x", "HOOK_URL": " "})
    assert "HOOK_URL (for target `hook`)" in str(caught.value)
    assert "TOKEN (for target `bot`)" in str(caught.value)
    assert "HOOK_SECRET" not in str(caught.value)
