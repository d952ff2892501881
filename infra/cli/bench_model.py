"""`pulse bench model`: messages a second that one core scores."""

import time
from typing import Annotated, Any

import msgspec
import typer

from infra.local.acceptance.machine import machine
from serving.scorer.backend import (
    DEFAULT_MODEL,
    DeviceUnavailableError,
    ModelNotFoundError,
    load_folder,
    model_folder,
)

Model = Annotated[str, typer.Option(help="Model name under serving/models, or a model folder.")]
Device = Annotated[str, typer.Option(help="cpu (one core) or cuda (for base; extra `gpu`).")]
BatchRows = Annotated[int, typer.Option(min=1, max=4_000, help="Messages of one batch.")]


def bench_model(model: Model = DEFAULT_MODEL, batch_rows: BatchRows = 256, device: Device = "cpu") -> None:
    """Score 20,000 recorded chat lines on one core, or one GPU, and print one JSON line.

    `messages_per_s` is from the request's Arrow batch to the answer's, text preparation and tokenisation
    included; `prepared_messages_per_s` begins at prepared text; `preparation_messages_per_s` is the
    preparation alone. Best of three rounds, in the process's own CPU time, so that neighbours on the machine
    count less (on a GPU: in the time of the wall). Reads ../shared/data/logs (or PULSE_SHARED/data/logs).
    """
    from serving.training.datasets import DataMissingError, data_folder
    from serving.training.throughput import FILES, ROUNDS, throughput

    try:
        scorer = load_folder(model_folder(model), device)
        clock = time.process_time if device == "cpu" else time.perf_counter
        found = throughput(scorer, data_folder(), batch_rows, clock=clock)
    except (DeviceUnavailableError, ModelNotFoundError, DataMissingError, FileNotFoundError) as error:
        typer.echo(f"pulse bench model: {error}", err=True)
        raise typer.Exit(1) from error
    line: dict[str, Any] = {
        "benchmark": "model",
        "model": scorer.name,
        "model_version": scorer.version,
        "messages": found.messages,
        "messages_per_s": round(found.whole),
        "prepared_messages_per_s": round(found.prepared),
        "preparation_messages_per_s": round(found.preparation),
        "microseconds_per_message": round(1e6 / found.whole, 2),
        "settings": {
            "device": device,
            "batch_rows": batch_rows,
            "threads": 1,
            "rounds": ROUNDS,
            "files": FILES,
        },
        "machine": machine(),
    }
    typer.echo(msgspec.json.encode(line).decode())
