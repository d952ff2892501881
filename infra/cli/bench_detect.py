"""`pulse bench detect`: the detection engine's figures, without servers."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import msgspec
import typer

from connectors.simulator.suite import Split
from infra.cli.bench_detect_throughput import throughput
from infra.cli.demo import BUNDLED
from infra.detection_bench.quality import run_suite
from infra.detection_bench.real_chat import measure
from infra.detection_bench.report import write_report
from infra.detection_bench.scoring import Tally
from infra.local.acceptance.load_texts import NoTextsError, real_texts
from infra.local.acceptance.machine import machine
from serving.scorer.backend import DEFAULT_MODEL, Scorer, load_scorer


class Part(StrEnum):
    """What is measured."""

    QUALITY = "quality"
    THROUGHPUT = "throughput"


SplitName = StrEnum("SplitName", list(get_args(Split)))  # type: ignore[misc]  # typer needs an enumeration


def detect(
    only: Annotated[Part | None, typer.Option(help="Default: both.")] = None,
    split: Annotated[
        SplitName, typer.Option(help="Channels and families; report on test, tune on the others.")
    ] = SplitName.test,  # type: ignore[attr-defined]
    seeds: Annotated[
        int, typer.Option(min=1, help="Simulated broadcasts of the whole suite, each by another seed.")
    ] = 2,
    first_seed: Annotated[int, typer.Option(help="The seeds are this one and those that follow.")] = 201,
    real: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Untouched recorded chat (.jsonl, .jsonl.gz): alerts there are false until proven right.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    no_model: Annotated[bool, typer.Option("--no-model", help="Without the model's toxicity.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Folder for a page with tables and plots.", file_okay=False)
    ] = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="Throughput: recordings whose texts are used. Default: the bundled one.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    messages: Annotated[
        int,
        typer.Option(
            min=1, help="Throughput: distinct lines that are used, at most as many as the files hold."
        ),
    ] = 60_000,
    channels: Annotated[int, typer.Option(min=1, max=10_000, help="Throughput: streams side by side.")] = 8,
    rate: Annotated[
        int, typer.Option(min=1, help="Throughput: messages a second on the streams' own clocks.")
    ] = 1_500,
    accounts: Annotated[
        int,
        typer.Option(
            min=1, help="Throughput: accounts that take turns on each channel; with 400 each one floods."
        ),
    ] = 400,
) -> None:
    """Measure detection: how well and how soon (simulated and real chat), and how fast one core is.

    Quality: every family of attacks and look-alikes of the split, played with ground truth, through
    `pulse detect` and through a chat bot's naive rules. Throughput: every text is met once, so no cache
    helps; each engine's state is written every 500 ms, as live; time is that of this process alone.

    Out: one JSON line.

    Example: pulse bench detect --seeds 6 --report results | jq .quality.pulse
    """
    results: dict[str, Any] = {"benchmark": "detect"}
    if only is not Part.QUALITY:
        try:
            texts = real_texts(inputs or [BUNDLED])[:messages]
        except (NoTextsError, OSError) as error:
            typer.echo(f"pulse bench detect: {error}", err=True)
            raise typer.Exit(1) from None
        results |= throughput(texts, channels=channels, rate=rate, accounts=accounts)
    if only is not Part.THROUGHPUT:
        scorer = None if no_model else load_scorer(DEFAULT_MODEL)
        chosen = list(range(first_seed, first_seed + seeds))
        pulse, naive = run_suite(
            cast(Split, split.value),
            chosen,
            scorer,
            done=lambda seed: typer.echo(f"seed {seed} done", err=True),
        )
        results["quality"] = _quality(split.value, chosen, pulse, naive)
        results["real"] = _real(real or [], scorer)
        results["machine"] = machine()
        if report is not None:
            command = f"pulse bench detect --split {split.value} --seeds {seeds} --first-seed {first_seed}"
            command += "".join(f" --real {file.name}" for file in real or [])
            write_report(report, command + " --no-model" * no_model, results, pulse, naive)
    typer.echo(msgspec.json.encode(results).decode())


def _quality(split: str, seeds: list[int], pulse: Tally, naive: Tally) -> dict[str, Any]:
    return {
        "split": split,
        "seeds": seeds,
        "pulse": pulse.figures(),
        "naive": naive.figures(),
        "families": pulse.families(),
        "families_naive": naive.families(),
        "called_hostile": pulse.benign_attacked,
    }


def _real(files: list[Path], scorer: Scorer | None) -> dict[str, Any]:
    return {file.name.split(".")[0]: measure(file, scorer) for file in files}
