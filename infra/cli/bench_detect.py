"""`pulse bench detect`: the detection engine's figures, without servers."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from infra.cli.bench_detect_throughput import throughput
from infra.cli.demo import BUNDLED
from infra.local.acceptance.load_texts import NoTextsError, real_texts


def detect(
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="Recordings whose texts are used; may be repeated. Default: the bundled recording.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    messages: Annotated[
        int, typer.Option(min=1, help="Distinct lines that are used, at most as many as the files hold.")
    ] = 60_000,
    channels: Annotated[int, typer.Option(min=1, max=10_000, help="Streams side by side.")] = 8,
    rate: Annotated[int, typer.Option(min=1, help="Messages a second on the streams' own clocks.")] = 1_500,
    accounts: Annotated[
        int, typer.Option(min=1, help="Accounts that take turns on each channel; with 400 each one floods.")
    ] = 400,
) -> None:
    """Time the whole detector set on one core: one JSON line with messages a second.

    Every text is met once, so no cache helps; each engine's state is written every 500 ms, as live. Time is
    that of this process alone, not that of its neighbours on the machine.

    Example: pulse bench detect --input recording.jsonl.gz | jq .messages_per_s
    """
    try:
        texts = real_texts(inputs or [BUNDLED])[:messages]
    except (NoTextsError, OSError) as error:
        typer.echo(f"pulse bench detect: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(
        msgspec.json.encode(throughput(texts, channels=channels, rate=rate, accounts=accounts)).decode()
    )
