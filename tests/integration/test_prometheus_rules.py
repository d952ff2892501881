"""Every alerting rule fires when its part breaks and resolves when it is mended, on a real Prometheus.

The rules are the shipped ones with time running faster (60 times, 720 times for the slow burn of three days).
What they watch is real too: sink, store, notifier and their metrics (breakable.py); only Flink's are played.
"""

from pathlib import Path

import pytest
import yaml

from infra.local.settings import ROOT
from tests.fixtures.monitoring import MISSING, RULES, OnCall, is_here, monitoring
from tests.fixtures.store import TestStore
from tests.integration.breakable import Parts, running_parts

pytestmark = pytest.mark.skipif(not is_here(), reason=MISSING)

FAST, SLOW = 60, 720

WITHOUT_SCORES = {"PulseScoringStopped", "PulseCoverageBurnsFast"}
BAD_INPUT = {
    "PulseCompletenessBurnsFast",
    "PulseConnectorSilent",
    "PulseAlertLatencyBurnsFast",
    "PulseNotifierGivesUp",
    "PulseFlinkJobRestarts",
    "PulseFlinkCheckpointsFail",
}
WITHOUT_DETECTION = {"PulseDetectionStopped"}
FULL_DISK = {"PulseStoreRefusesWrites", "PulseStoreFallsBehind", "PulseFreshnessBurnsFast"}
DOWN = {"PulseStoreDown", "PulseNotifierDown", "PulseConnectorDown", "PulseScorerDown"}
SLOWLY = {f"Pulse{name}BurnsSlowly" for name in ("Freshness", "Completeness", "Coverage", "AlertLatency")}


def shipped() -> set[str]:
    groups = [
        group for path in RULES.glob("*.rules.yml") for group in yaml.safe_load(path.read_text())["groups"]
    ]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


def test_no_rule_is_left_out() -> None:
    assert shipped() == WITHOUT_SCORES | BAD_INPUT | WITHOUT_DETECTION | FULL_DISK | DOWN | SLOWLY


async def test_every_rule_fires_and_resolves(tmp_path: Path) -> None:
    (tmp_path / "monitoring").mkdir()
    with TestStore.open(tmp_path / "store") as store:
        async with running_parts(tmp_path, store) as parts:
            jobs = {
                name: {"static_configs": [{"targets": [f"127.0.0.1:{exporter.port}"]}]}
                for name, exporter in parts.exporters.items()
            }
            async with monitoring(tmp_path / "monitoring", jobs, (FAST, SLOW)) as on_call:
                await break_and_mend(parts, on_call)
                await take_down_and_bring_back(parts, on_call)


async def break_and_mend(parts: Parts, on_call: OnCall) -> None:
    faults = parts.faults
    faults.scoring_stopped = faults.dead_letters = faults.alerts_late = True
    faults.target_refuses = faults.flink_fails = True
    parts.lose_a_stream()
    await on_call.wait(FAST, "firing", WITHOUT_SCORES | BAD_INPUT)
    await on_call.wait(SLOW, "firing", SLOWLY - {"PulseFreshnessBurnsSlowly"})
    mend(parts)
    await on_call.wait(FAST, "resolved", WITHOUT_SCORES | BAD_INPUT)

    faults.detection_stopped = True
    await on_call.wait(FAST, "firing", WITHOUT_DETECTION)
    mend(parts)
    await on_call.wait(FAST, "resolved", WITHOUT_DETECTION)

    faults.store_refuses_writes = True
    await on_call.wait(FAST, "firing", FULL_DISK)
    await on_call.wait(SLOW, "firing", SLOWLY)
    mend(parts)
    await on_call.wait(FAST, "resolved", FULL_DISK)
    await on_call.wait(SLOW, "resolved", SLOWLY)
    for name, annotations in on_call.annotations.items():
        assert (ROOT / annotations["runbook"]).is_file(), name


def mend(parts: Parts) -> None:
    for fault in vars(parts.faults):
        setattr(parts.faults, fault, False)
    parts.end_the_lost_stream()


async def take_down_and_bring_back(parts: Parts, on_call: OnCall) -> None:
    gone = ("pulse-store", "pulse-notifier", "pulse-listener", "pulse-scorer")
    for name in gone:
        parts.exporters[name].down()
    await on_call.wait(FAST, "firing", DOWN)
    for name in gone:
        parts.exporters[name].up()
    await on_call.wait(FAST, "resolved", DOWN)
