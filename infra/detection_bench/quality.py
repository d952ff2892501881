"""Play the suite's scenarios through the detectors and the naive rules."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from connectors.simulator.generator import Simulation, simulate
from connectors.simulator.recording import write_lines
from connectors.simulator.suite import Split, scenario_of
from infra.cli.recorded_detection import Found, RecordedDetection
from infra.detection_bench.naive_rules import naive_alerts
from infra.detection_bench.scoring import Raised, Tally
from serving.scorer.backend import Scorer


def run_suite(
    split: Split, seeds: Sequence[int], scorer: Scorer | None, *, done: Callable[[int], None] = lambda _: None
) -> tuple[Tally, Tally]:
    """The tallies of Pulse and of the naive rules over the split's scenarios, one a seed."""
    pulse, naive = Tally(), Tally()
    for seed in seeds:
        scenario = scenario_of(split, seed)
        simulation = simulate(scenario, seed)
        hours = scenario.length_s / 3600 * len(scenario.channels)
        pulse.add(simulation.truth, raised_by_pulse(simulation, scorer), hours)
        naive.add(simulation.truth, naive_alerts(simulation.lines), hours)
        done(seed)
    return pulse, naive


def raised_by_pulse(simulation: Simulation, scorer: Scorer | None) -> list[Raised]:
    """What `pulse detect` finds in the simulated lines; without a scorer only the kinds that need none."""
    with tempfile.TemporaryDirectory(prefix="pulse-bench-") as folder:
        recording = Path(folder) / "suite.jsonl"
        write_lines(recording, simulation.lines)
        run = RecordedDetection([recording], scorer, refused=lambda _: None)
        return [_raised(found) for found in run.episodes()]


def _raised(found: Found) -> Raised:
    alert, origin = found.alert, found.origin_ms
    return Raised(
        kind=alert.kind,
        streams=found.channels,
        started_ms=alert.started_at - origin,
        detected_ms=alert.detected_at - origin,
        ended_ms=(alert.ended_at or alert.detected_at) - origin,
    )
