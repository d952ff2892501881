"""`pulse dashboards push` against a Grafana that enforces the documented HTTP contract."""

from collections.abc import Iterator

import pytest
from grafana_client import GrafanaApi
from typer.testing import CliRunner

from dashboards.grafana import push as pushing
from dashboards.grafana.build import BOARDS
from dashboards.grafana.push import Outcome, Push, PushError
from infra.cli.dashboards import app
from tests.unit.dashboards.fake_grafana import TOKEN, FakeGrafana

RULES = len(pushing.rules("en"))


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    with FakeGrafana().serve() as fake:
        yield fake


def push(
    grafana: FakeGrafana, *, dry_run: bool = False, force: bool = False, token: str = TOKEN
) -> list[Outcome]:
    api = GrafanaApi.from_url(grafana.url, credential=token)
    return Push(api, "en", dry_run=dry_run, force=force).run()


def actions(outcomes: list[Outcome], kind: str) -> dict[str, str]:
    return {outcome.name: outcome.action for outcome in outcomes if outcome.kind == kind}


def test_a_first_push_makes_folder_dashboards_and_rules(grafana: FakeGrafana) -> None:
    outcomes = push(grafana)
    assert actions(outcomes, "folder") == {"pulse": "created"}
    assert set(actions(outcomes, "dashboard").values()) == {"created"}
    assert grafana.dashboards.keys() == BOARDS.keys()
    assert len(grafana.rules) == RULES
    assert not actions(outcomes, "data source")


def test_a_second_push_writes_nothing(grafana: FakeGrafana) -> None:
    push(grafana)
    grafana.writes.clear()
    assert {outcome.action for outcome in push(grafana)} == {"unchanged"}
    assert grafana.writes == []


def test_a_new_build_updates_what_nobody_touched(
    grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(grafana)
    original = pushing.dashboard
    monkeypatch.setattr(
        pushing, "dashboard", lambda uid, language: {**original(uid, language), "title": "new"}
    )
    assert set(actions(push(grafana), "dashboard").values()) == {"updated"}
    assert {board["title"] for board in grafana.dashboards.values()} == {"new"}
    assert {board["version"] for board in grafana.dashboards.values()} == {2}


def test_a_dry_run_writes_nothing(grafana: FakeGrafana) -> None:
    outcomes = push(grafana, dry_run=True)
    assert {outcome.action for outcome in outcomes} == {"created"}
    assert grafana.writes == []


def test_a_dashboard_changed_by_hand_is_kept_and_named(grafana: FakeGrafana) -> None:
    push(grafana)
    grafana.edit("pulse-raids", "my raids")
    outcomes = push(grafana)
    (kept,) = [outcome for outcome in outcomes if outcome.action == "kept"]
    assert kept.name == "pulse-raids"
    assert "by hand" in kept.detail
    assert grafana.dashboards["pulse-raids"]["title"] == "my raids"
    assert actions(push(grafana, force=True), "dashboard")["pulse-raids"] == "updated"
    assert grafana.dashboards["pulse-raids"]["title"] == "Pulse: raids"
    assert {outcome.action for outcome in push(grafana)} == {"unchanged"}


def test_a_save_between_reading_and_writing_is_kept(
    grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(grafana)
    original = pushing.dashboard
    monkeypatch.setattr(
        pushing, "dashboard", lambda uid, language: {**original(uid, language), "title": "new"}
    )
    # The versions are asked after the dashboard: the colleague's save falls between the two answers.
    monkeypatch.setattr(Push, "_last_message", lambda *_: pushing.MESSAGE + "before")
    grafana.race = True
    outcomes = push(grafana)
    assert set(actions(outcomes, "dashboard").values()) == {"kept"}
    assert {board["title"] for board in grafana.dashboards.values()} == {"a colleague was faster"}


def test_a_provisioned_dashboard_is_left_to_its_file(grafana: FakeGrafana) -> None:
    push(grafana)
    grafana.provisioned.add("pulse-stream")
    (kept,) = [outcome for outcome in push(grafana) if outcome.action == "kept"]
    assert "provisioned" in kept.detail


@pytest.mark.parametrize("change", ["threshold", "pause"])
def test_a_rule_changed_by_hand_is_kept_and_named(grafana: FakeGrafana, change: str) -> None:
    push(grafana)
    rule = grafana.rules["pulse-blind"]
    if change == "pause":
        rule["isPaused"] = True
    else:
        rule["data"][1]["model"]["conditions"][0]["evaluator"]["params"] = [600]
    (kept,) = [outcome for outcome in push(grafana) if outcome.action == "kept"]
    assert (kept.kind, kept.name) == ("rule", "pulse-blind")
    assert actions(push(grafana, force=True), "rule")["pulse-blind"] == "updated"
    assert {outcome.action for outcome in push(grafana)} == {"unchanged"}


def test_a_missing_data_source_is_said(grafana: FakeGrafana) -> None:
    grafana.sources.clear()
    outcomes = push(grafana)
    assert actions(outcomes, "data source") == {"pulse-clickhouse": "failed", "pulse-prometheus": "failed"}


def test_a_wrong_token_is_one_clear_error(grafana: FakeGrafana) -> None:
    with pytest.raises(PushError, match="service account token"):
        push(grafana, token="wrong")
    done = CliRunner().invoke(app, ["push", "--url", grafana.url, "--token", "wrong"])
    assert done.exit_code == 1
    assert "service account token" in done.output


def test_the_command_prints_a_line_a_thing(grafana: FakeGrafana) -> None:
    done = CliRunner().invoke(app, ["push", "--url", grafana.url, "--token", TOKEN])
    assert done.exit_code == 0, done.output
    assert (
        len([line for line in done.stdout.splitlines() if line.startswith("created")])
        == 1 + len(BOARDS) + RULES
    )


def test_without_a_token_or_address_the_command_says_what_to_do() -> None:
    assert CliRunner().invoke(app, ["push", "--url", "127.0.0.1:3000"]).exit_code == 2
    done = CliRunner().invoke(app, ["push"], env={"GRAFANA_TOKEN": ""})
    assert done.exit_code == 2
    assert "GRAFANA_TOKEN" in done.output


def test_a_grafana_that_is_not_there_is_one_clear_error() -> None:
    done = CliRunner().invoke(app, ["push", "--url", "http://127.0.0.1:1", "--token", TOKEN])
    assert done.exit_code == 1
    assert "cannot be reached" in done.output
