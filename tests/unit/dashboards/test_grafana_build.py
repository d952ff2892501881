"""The built files: as committed, valid by the SDK's models, complete in both languages."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.alerting import Rule
from grafana_foundation_sdk.models.dashboard import Dashboard
from typer.testing import CliRunner

from dashboards.grafana import build
from dashboards.grafana.macros import Asked, MacroError
from dashboards.grafana.plain import plain
from dashboards.grafana.push import rules
from infra.cli.dashboards import app
from schemas.metrics import CATALOGUE
from tests.fixtures.monitoring import MISSING

register_default_plugins()

EVERY = [(uid, language) for uid in build.BOARDS for language in ("en", "ru")]


def charts(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def test_committed_files_are_the_build() -> None:
    assert build.differences() == [], "run `pulse dashboards build` and commit"


def test_a_changed_missing_or_left_over_file_is_seen_and_mended(tmp_path: Path) -> None:
    build.write(tmp_path)
    assert build.differences(tmp_path) == []
    (tmp_path / "en" / "pulse-raids.json").write_text("{}")
    (tmp_path / "ru" / "pulse-raids.json").unlink()
    (tmp_path / "en" / "old.json").write_text("{}")
    assert build.write(tmp_path) == ["en/old.json", "en/pulse-raids.json", "ru/pulse-raids.json"]
    assert build.differences(tmp_path) == []


@pytest.mark.parametrize(("uid", "language"), EVERY)
def test_a_dashboard_is_classic_json_that_the_models_read(uid: str, language: Any) -> None:
    board = build.dashboard(uid, language)
    assert {"uid", "title", "panels", "templating", "time"} <= board.keys()
    assert "spec" not in board
    again = plain(Dashboard.from_json(board))
    assert again["panels"] == board["panels"]
    assert again["templating"] == board["templating"]


@pytest.mark.parametrize(("uid", "language"), EVERY)
def test_every_panel_says_what_it_is_in_what_unit_and_has_room(uid: str, language: Any) -> None:
    board = build.dashboard(uid, language)
    taken: set[tuple[int, int]] = set()
    for panel in charts(board):
        assert panel["title"].strip()
        assert len(panel["description"]) > 15
        assert panel["targets"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("uid", build.BOARDS)
def test_both_languages_ask_the_same_and_differ_in_words(uid: str) -> None:
    english, russian = (build.dashboard(uid, language) for language in ("en", "ru"))
    assert [panel["targets"] for panel in charts(english)] and english["title"] != russian["title"]
    for ours, theirs in zip(charts(english), charts(russian), strict=True):
        assert [target.get("rawSql") for target in ours["targets"]] == [
            target.get("rawSql") for target in theirs["targets"]
        ]
        assert ours["description"] != theirs["description"]
        assert re.search("[а-яё]", theirs["description"])


@pytest.mark.parametrize("uid", build.BOARDS)
def test_links_lead_to_dashboards_that_exist_and_name_their_variables(uid: str) -> None:
    text = str(build.dashboard(uid, "en"))
    for target in re.findall(r"/d/([\w-]+)\?", text):
        assert target in build.BOARDS
        names = {variable["name"] for variable in build.dashboard(target, "en")["templating"]["list"]}
        assert {"workspace", "broadcast"} <= names


def test_dashboards_of_the_issue_have_their_variables() -> None:
    for uid in build.BOARDS:
        names = [variable["name"] for variable in build.dashboard(uid, "en")["templating"]["list"]]
        assert names[:3] == ["workspace", "platform", "channel"]
    assert "broadcast" in str(build.dashboard("pulse-compare", "en")["templating"])


def expressions() -> list[str]:
    return [
        target["expr"]
        for uid in build.BOARDS
        for panel in charts(build.dashboard(uid, "en"))
        for target in panel["targets"]
        if "expr" in target
    ]


def test_prometheus_queries_name_metrics_that_are_exported() -> None:
    used = set(re.findall(r"\bpulse_\w+", " ".join(expressions())))
    assert used
    for name in used:
        assert name in CATALOGUE or re.sub(r"_(bucket|sum|count)$", "", name) in CATALOGUE, name


@pytest.mark.skipif(shutil.which("promtool") is None, reason=MISSING)
def test_prometheus_queries_parse(tmp_path: Path) -> None:
    group = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(expressions())]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": group}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason=MISSING)
def test_the_age_of_a_checkpoint_grows_when_they_stop(tmp_path: Path) -> None:
    (expr,) = [expr for expr in expressions() if "numberOfCompletedCheckpoints" in expr]
    (tmp_path / "age.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "g", "rules": [{"record": "age", "expr": expr}]}]})
    )
    series = 'flink_jobmanager_job_numberOfCompletedCheckpoints{job_name="score"}'
    test = {
        "rule_files": ["age.yml"],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [{"series": series, "values": "0+1x20 20+0x40"}],
                "promql_expr_test": [
                    {
                        "expr": "age <= bool 60",
                        "eval_time": "4m",
                        "exp_samples": [_one('{job_name="score"}')],
                    },
                    {
                        "expr": "age > bool 500",
                        "eval_time": "15m",
                        "exp_samples": [_one('{job_name="score"}')],
                    },
                ],
            }
        ],
    }
    (tmp_path / "age.test.yml").write_text(yaml.safe_dump(test))
    done = subprocess.run(
        ["promtool", "test", "rules", "age.test.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _one(labels: str) -> dict[str, object]:
    return {"labels": labels, "value": 1}


def test_the_command_checks_and_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build.write, "__defaults__", (tmp_path,))
    monkeypatch.setattr(build.differences, "__defaults__", (tmp_path,))
    asked = CliRunner().invoke(app, ["build", "--check"])
    assert (asked.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert "en/pulse-stream.json" in asked.stdout
    assert CliRunner().invoke(app, ["build"]).exit_code == 0
    again = CliRunner().invoke(app, ["build", "--check"])
    assert (again.exit_code, again.stdout) == (0, "")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_rules_are_valid_and_provisioned_with_escaped_dollars(language: Any) -> None:
    sent = rules(language)
    for rule in sent:
        again = plain(Rule.from_json(rule))
        assert again["uid"] == rule["uid"]
        assert again["data"][1]["model"] == rule["data"][1]["model"]
        assert rule["data"][1]["model"]["type"] == "threshold"
    provisioned = yaml.safe_load((build.BUILT / language / "alerting" / "rules.yaml").read_text())
    (group,) = provisioned["groups"]
    assert [rule["uid"] for rule in group["rules"]] == [rule["uid"] for rule in sent]
    for ours, theirs in zip(sent, group["rules"], strict=True):
        sql = theirs["data"][0]["model"]["rawSql"]
        assert "$$__timeFilter" in sql
        assert sql.replace("$$", "$") == ours["data"][0]["model"]["rawSql"]


def test_policies_name_contact_points_that_exist() -> None:
    folder = build.BUILT / "en" / "alerting"
    points = yaml.safe_load((folder / "contact-points.yaml").read_text())["contactPoints"]
    (policy,) = yaml.safe_load((folder / "policies.yaml").read_text())["policies"]
    names = {point["name"] for point in points}
    assert {policy["receiver"], *(route["receiver"] for route in policy["routes"])} <= names


def test_an_unknown_macro_fails_the_test_run() -> None:
    with pytest.raises(MacroError):
        Asked(0, 1).expand("SELECT $__nothing")
