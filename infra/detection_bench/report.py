"""The benchmark as a page: a table per family, plots, and the naive rules beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from infra.detection_bench.adjudicated import verdict, verdicts
from infra.detection_bench.scoring import Tally

SIZES: Final = ((1, 5), (6, 10), (11, 20), (21, 40), (41, 80), (81, 1_000))
"""Bins of the plot of recall over the number of hostile accounts."""
BIN_S: Final = 5
LAST_S: Final = 120
_HEADLINES: Final = (
    ("recall, all hostile families", ("recall",)),
    ("precision, all hostile kinds", ("precision",)),
    ("false hostile alerts per stream-hour", ("false_per_stream_hour",)),
    ("seconds from the first hostile line, median", ("seconds", "median_s")),
    ("the same, p90", ("seconds", "p90_s")),
    ("attack.* and spam.links: recall", ("attacks", "recall")),
    ("attack.* and spam.links: precision", ("attacks", "precision")),
    (
        "seconds from the fifth account, raids of ≥ 20 with ramp ≤ 10 s, median",
        ("quick_raids_from_fifth_account", "median_s"),
    ),
    ("the same, p90", ("quick_raids_from_fifth_account", "p90_s")),
    ("drips found within 90 s", ("drips", "within_90_s")),
    ("waves found as one alert", ("waves", "as_one_alert")),
    ("friendly raids recognised (simulated)", ("friendly_raids", "recognised")),
)


def write_report(
    folder: Path, command: str, results: Mapping[str, Any], pulse: Tally, naive: Tally
) -> list[Path]:
    """Write `RESULTS.md`, `recall_over_size.svg` and `delays.svg`; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "RESULTS.md"
    page.write_text(_page(command, results), "utf-8")
    return [page, *_plots(folder, pulse, naive)]


def _page(command: str, results: Mapping[str, Any]) -> str:
    figures = {name: results["quality"][name] for name in ("pulse", "naive")}
    lines = [
        "# Detection benchmark",
        "",
        f"Made by `{command}`; do not edit. Split `{results['quality']['split']}`, seeds "
        f"{', '.join(map(str, results['quality']['seeds']))}. The families stand in "
        "`connectors/simulator/benchmark.yaml`; channels of `test` and the families that only it has were "
        "not tuned on. Naive rules: what a chat bot does today (repetition and rate of one user, one text by "
        "five users, blocked words, capitals); a rule set that is alarmed most of the time finds most "
        "events, and at once, by chance: read its recall beside its false alerts.",
        "",
        "The simulated attacks are ours as the detectors are, and both know ordinary insults; real campaigns "
        "may be harder. Recorded chat is nobody's making; nothing was injected there.",
        "",
        "| figure | Pulse | naive rules |",
        "|---|---|---|",
    ]
    for label, path in _HEADLINES:
        told = [_cell(figures[name], path) for name in ("pulse", "naive")]
        lines.append(f"| {label} | {told[0]} | {told[1]} |")
    lines += [
        "",
        "| family | events | found | median s | p90 s | naive rules found |",
        "|---|---|---|---|---|---|",
    ]
    naive = results["quality"]["families_naive"]
    for family, row in results["quality"]["families"].items():
        lines.append(
            f"| {family} | {row['events']} | {row['found']} | {_plain(row['median_s'])} "
            f"| {_plain(row['p90_s'])} | {naive[family]['found']} |"
        )
    lines += [
        "",
        "Harmless events that were called hostile, by family: "
        + (", ".join(f"{family} {n}" for family, n in results["quality"]["called_hostile"].items()) or "none")
        + ". False alerts outside of any event are not in it.",
        "",
        "![Recall over attack size](recall_over_size.svg)",
        "![Seconds to detection](delays.svg)",
        "",
    ]
    if results.get("real"):
        lines += _real(results["real"])
    return "\n".join(lines)


def _real(real: Mapping[str, Any]) -> list[str]:
    lines = [
        "## Untouched real chat",
        "",
        "| recording | stream-hours | hostile alerts (attack.*, spam.links) | flood.account "
        "| friendly raids recognised, called attacks | the same without the announcement |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in real.items():
        raids = row["friendly_raids"]
        told = ["–", "–"]
        if raids:
            told = [
                f"{raids[key]['recognised']:.0%} of {raids['raids']}, {raids[key]['called_attacks']}"
                for key in ("with_announcement", "without")
            ]
        lines.append(
            f"| {name} | {row['stream_hours']} | {len(row['hostile'])} "
            f"| {row['alerts'].get('flood.account', 0)} | {told[0]} | {told[1]} |"
        )
    floods = [
        known
        for known in verdicts()
        if known.kind == "flood.account" and known.stream.partition("/")[0] in real
    ]
    if floods:
        right = sum(known.right for known in floods)
        lines += ["", f"Of {len(floods)} flood.account alerts that were judged, {right} were right."]
    lines += ["", *_judged([tuple(alert) for row in real.values() for alert in row["hostile"]])]
    return [*lines, ""]


def _judged(alerts: Sequence[tuple[str, str, int]]) -> list[str]:
    if not alerts:
        return ["No hostile alert to judge."]
    lines = [
        "Each hostile alert, judged by reading the chat around it (`adjudicated.yaml`):",
        "",
        "| stream | kind | begins at, s | verdict |",
        "|---|---|---|---|",
    ]
    for stream, kind, started_ms in alerts:
        found = verdict(stream, kind, started_ms)
        told = "not yet judged" if found is None else f"{'right' if found.right else 'false'}: {found.note}"
        lines.append(f"| {stream} | {kind} | {started_ms // 1000} | {told} |")
    return lines


def _cell(figures: Mapping[str, Any], path: Sequence[str]) -> str:
    value: Any = figures
    for key in path:
        value = value[key]
    return _plain(value)


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _plots(folder: Path, pulse: Tally, naive: Tally) -> list[Path]:
    # matplotlib takes a second to import, and only this needs it
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    tallies = (("Pulse", pulse), ("naive rules", naive))
    with rc_context({"svg.hashsalt": "pulse", "svg.fonttype": "none"}):
        recall = Figure(figsize=(7, 3.2), layout="constrained")
        axes = recall.subplots()
        for label, tally in tallies:
            axes.plot(
                [f"{low}–{high}" for low, high in SIZES], _recall_by_size(tally), marker="o", label=label
            )
        axes.set(xlabel="hostile accounts", ylabel="recall", ylim=(-0.05, 1.05))
        axes.legend()
        delays = Figure(figsize=(7, 3.2), layout="constrained")
        axes = delays.subplots()
        for label, tally in tallies:
            seconds = [min(s, LAST_S) for _, s in tally.events if s is not None]
            axes.hist(seconds, bins=range(0, LAST_S + BIN_S, BIN_S), histtype="step", label=label)
        axes.set(
            xlabel=f"seconds from the first hostile line ({LAST_S} and more in the last bin)", ylabel="events"
        )
        axes.legend()
        paths = [folder / "recall_over_size.svg", folder / "delays.svg"]
        for figure, path in zip((recall, delays), paths, strict=True):
            figure.savefig(path, metadata={"Date": None})
    return paths


def _recall_by_size(tally: Tally) -> list[float]:
    shares: list[float] = []
    for low, high in SIZES:
        found = [seconds is not None for truth, seconds in tally.events if low <= truth.accounts <= high]
        shares.append(sum(found) / len(found) if found else float("nan"))
    return shares
