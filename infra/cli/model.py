"""`pulse model`: which model the running stack scores with, and its change without a restart."""

import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import msgspec
import typer
import yaml
from pydantic import ValidationError

from schemas.endpoints import Endpoints
from serving.scorer.backend import ModelNotFoundError, model_folder
from serving.scorer.hf_config import PREFIX, read_hf_config
from serving.scorer.settings import CHOICE, Choice

app = typer.Typer(add_completion=False, no_args_is_help=True)
_POLL_S = 0.5


@app.callback()
def main() -> None:
    """Show and change the model that the running stack scores with."""


@app.command()
def show() -> None:
    """Print what scores now and what is being loaded, as one JSON object."""
    try:
        info = _info(Endpoints())
    except httpx.HTTPError as error:
        _fail(f"the scorer does not answer ({error}); `pulse up` starts it")
    kept = ("model", "model_version", "wanted", "loading", "failure", "knobs", "trial")
    typer.echo(msgspec.json.encode({name: info[name] for name in kept}).decode())


@app.command()
def use(
    model: Annotated[str, typer.Argument(help="Name under serving/models, model folder, or hf:….")],
    wait_s: Annotated[float, typer.Option("--wait", help="Seconds to wait for it.", min=0)] = 300.0,
) -> None:
    """Score with another model from now on; the stack goes on meanwhile and no message is lost.

    The choice is kept in PULSE_HOME/scorer.yaml and goes before serve.yaml and PULSE_SCORER_MODEL, at the
    next start too. A running scorer loads the model beside the one in service and then swaps them; where it
    cannot be loaded, the one before stays, and this command says why and fails.
    """
    try:
        name = _checked(model)
    except ModelNotFoundError as error:
        raise typer.BadParameter(str(error), param_hint="MODEL") from error
    endpoints = Endpoints()
    path = endpoints.pulse_home.expanduser().resolve() / CHOICE
    try:
        before = Choice.read(path)
        info = _info(endpoints)
    except httpx.HTTPError:
        info = None
    except (ValidationError, yaml.YAMLError) as error:
        _fail(f"{path} is broken, mend or remove it: {error}")
    _write(path, before.model_copy(update={"model": name}))
    if info is None:
        typer.echo(f"{name}: kept for the next `pulse up` (no scorer answers now)")
        return
    found = _wait(endpoints, name, wait_s)
    typer.echo(f"{found['model']} {found['model_version']}")


@app.command()
def ab(
    model: Annotated[
        str | None, typer.Argument(help="Model b: name under serving/models, model folder, or hf:….")
    ] = None,
    share: Annotated[
        float, typer.Option(help="Share of the streams that it scores.", min=0.001, max=1.0)
    ] = 0.1,
    off: Annotated[
        bool, typer.Option("--off", help="End the test: the model in service scores all.")
    ] = False,
    wait_s: Annotated[float, typer.Option("--wait", help="Seconds to wait for it.", min=0)] = 300.0,
) -> None:
    """Let another model score a share of the streams, for real: windows, alerts and the page use its scores.

    Streams are assigned by hash: a stream stays with its model as long as the share does, over restarts too;
    a larger share only adds streams. Each score names its model and version:
    `pulse sql "SELECT model, model_version, count(), avg(toxicity) FROM messages WHERE scored GROUP BY ALL"`.
    Where model b fails, the model in service answers. `pulse shadow` compares without deciding anything.
    """
    if off == (model is not None):
        raise typer.BadParameter("name a model, or --off")
    path = Endpoints().pulse_home.expanduser().resolve() / CHOICE
    try:
        name = None if model is None else _checked(model)
        before = Choice.read(path)
    except ModelNotFoundError as error:
        raise typer.BadParameter(str(error), param_hint="MODEL") from error
    except (ValidationError, yaml.YAMLError) as error:
        _fail(f"{path} is broken, mend or remove it: {error}")
    _write(path, before.model_copy(update={"model_b": name, "share_b": share if name else 0.0}))
    _wait_for_trial(name, share, wait_s)


def _wait_for_trial(name: str | None, share: float, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            trial = _info(Endpoints())["trial"]
        except httpx.HTTPError:
            typer.echo("kept for the next `pulse up` (no scorer answers now)")
            return
        if name is None and trial is None:
            typer.echo("off")
            return
        if trial is not None and (trial["wanted"], trial["share"]) == (name, share):
            if trial["failure"]:
                _fail(f"{trial['failure']}; the model in service scores all streams")
            if not trial["loading"]:
                typer.echo(f"{trial['model']} {trial['model_version']} scores {share:.1%} of the streams")
                return
        if time.monotonic() >= end:
            _fail(f"not in force after {seconds:.0f} s; `pulse model show` tells more")
        time.sleep(_POLL_S)


def _checked(model: str) -> str:
    """The model as the scorer's process can find it, from whatever folder this command was called in."""
    if not model.startswith(PREFIX):
        folder = model_folder(model)
        return str(folder.resolve()) if Path(model).is_dir() else model
    read_hf_config(model)
    spec = Path(model.removeprefix(PREFIX))
    return f"{PREFIX}{spec.resolve()}" if spec.exists() else model


def _write(path: Path, choice: Choice) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(yaml.safe_dump(choice.model_dump(exclude_none=True)), "utf-8")
    fresh.replace(path)


def _wait(endpoints: Endpoints, model: str, seconds: float) -> dict[str, Any]:
    """What the scorer says once the model is in service."""
    end = time.monotonic() + seconds
    while True:
        try:
            info = _info(endpoints)
        except httpx.HTTPError as error:
            _fail(f"the scorer went away: {error}")
        if info["wanted"] == model and info["failure"]:
            _fail(f"{info['failure']}; {info['model']} {info['model_version']} goes on")
        if info["wanted"] == model and not info["loading"]:
            return info
        if time.monotonic() >= end:
            _fail(f"{model} is not in service after {seconds:.0f} s; `pulse model show` tells more")
        time.sleep(_POLL_S)


def _info(endpoints: Endpoints) -> dict[str, Any]:
    answer = httpx.get(f"{endpoints.scorer_url}/info", timeout=10.0)
    answer.raise_for_status()
    info: dict[str, Any] = answer.json()
    return info


def _fail(message: str) -> NoReturn:
    typer.echo(f"pulse model: {message}", err=True)
    raise typer.Exit(1)
