"""No rule without a test, a runbook page and metrics that exist."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.cli.connect import METRICS_PORT_OFFSET as LISTENER
from infra.cli.notify import METRICS_PORT_OFFSET as NOTIFIER
from schemas.endpoints import PORT_BASE, PORT_OFFSETS
from schemas.metrics import CATALOGUE
from tests.fixtures.monitoring import MISSING

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "infra" / "prometheus"
RULE_FILES = sorted(FOLDER.glob("*.rules.yml"))
SECTIONS = ("**Means.**", "**Users see.**", "**Check.**", "**Fix.**")
FOREIGN = {"up", "flink_jobmanager_job_numRestarts", "flink_jobmanager_job_numberOfFailedCheckpoints"}
"""What Prometheus and Flink's reporter name."""


def rules(path: Path) -> list[dict[str, Any]]:
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = [(path, rule) for path in RULE_FILES for rule in rules(path) if "alert" in rule]
RECORDED = {rule["record"] for path in RULE_FILES for rule in rules(path) if "record" in rule}


def alert_tests(path: Path) -> list[dict[str, Any]]:
    tested = yaml.safe_load(path.with_suffix(".test.yml").read_text(encoding="utf-8"))
    return [case for test in tested["tests"] for case in test["alert_rule_test"]]


@pytest.mark.parametrize(("path", "rule"), ALERTS, ids=[rule["alert"] for _, rule in ALERTS])
def test_an_alert_is_tested_firing_and_silent_and_has_its_page(path: Path, rule: dict[str, Any]) -> None:
    cases = [case for case in alert_tests(path) if case["alertname"] == rule["alert"]]
    assert any(case["exp_alerts"] for case in cases), "no test in which it fires"
    assert any(not case["exp_alerts"] for case in cases), "no test in which it is silent"
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    page = ROOT / rule["annotations"]["runbook"]
    text = page.read_text(encoding="utf-8")
    assert [section for section in SECTIONS if section not in text] == []
    index = (page.parent / "README.md").read_text(encoding="utf-8")
    assert rule["alert"] in index
    assert f"({page.name})" in index


def test_no_page_without_an_alert() -> None:
    named = {(ROOT / rule["annotations"]["runbook"]).name for _, rule in ALERTS}
    pages = {page.name for page in (ROOT / "infra" / "runbooks" / "sre").glob("*.md")}
    assert pages == named | {"README.md"}


def test_rules_use_only_metrics_that_exist() -> None:
    exported = FOREIGN | set(CATALOGUE)
    for metric in CATALOGUE.values():
        if metric.kind == "histogram":
            exported |= {f"{metric.name}{part}" for part in ("_bucket", "_sum", "_count")}
    used: set[str] = set()
    for path in RULE_FILES:
        for rule in rules(path):
            assert set(re.findall(r"pulse:\w+:\w+", rule["expr"])) <= RECORDED, rule
            used |= set(
                re.findall(r"\b(?:pulse_\w+|flink_\w+|up)\b", re.sub(r"pulse:\w+:\w+", "", rule["expr"]))
            )
    assert used
    assert used <= exported


def test_the_latency_objective_is_a_bound_of_the_histogram() -> None:
    bounds = re.findall(r'le="([\d.]+)"', (FOLDER / "objectives.rules.yml").read_text(encoding="utf-8"))
    assert {float(bound) for bound in bounds} == {2.0}
    assert 2 in CATALOGUE["pulse_notify_delay_seconds"].buckets


def test_the_example_scrapes_our_ports() -> None:
    example = yaml.safe_load((FOLDER / "prometheus.example.yml").read_text(encoding="utf-8"))
    targets = {job["job_name"]: job.get("static_configs", [{}])[0] for job in example["scrape_configs"]}
    assert targets["pulse-store"] == {"targets": [f"127.0.0.1:{PORT_BASE + PORT_OFFSETS['api_url']}"]}
    assert targets["pulse-notifier"] == {"targets": [f"127.0.0.1:{PORT_BASE + NOTIFIER}"]}
    assert targets["pulse-listener"] == {"targets": [f"127.0.0.1:{PORT_BASE + LISTENER}"]}
    assert targets["pulse-scorer"] == {"targets": [f"127.0.0.1:{PORT_BASE + PORT_OFFSETS['scorer_url']}"]}
    assert {"flink", "kafka", "ray"} <= targets.keys()


def test_rules_name_jobs_that_the_example_scrapes() -> None:
    example = yaml.safe_load((FOLDER / "prometheus.example.yml").read_text(encoding="utf-8"))
    scraped = {job["job_name"] for job in example["scrape_configs"]}
    asked = set(re.findall(r'\bup\{job="([\w-]+)"\}', " ".join(rule["expr"] for _, rule in ALERTS)))
    assert {"pulse-store", "pulse-notifier", "pulse-listener", "pulse-scorer"} == asked
    assert asked <= scraped


def run(program: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        pytest.skip(MISSING)
    done = subprocess.run(
        [found, *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_reads_all_files() -> None:
    run("promtool", "check", "rules", *(path.name for path in RULE_FILES))
    run("promtool", "check", "config", "--syntax-only", "prometheus.example.yml")


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_promtool_passes_the_rules_own_tests(path: Path) -> None:
    run("promtool", "test", "rules", path.name.replace(".rules.yml", ".rules.test.yml"))


def test_amtool_reads_the_alertmanager_example() -> None:
    run("amtool", "check-config", "alertmanager.example.yml")
