"""`pulse score`: score chat lines from files or a pipe, without servers."""

import gzip
import sys
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path
from typing import Annotated, cast

import typer

from serving.scorer.backend import DEFAULT_MODEL, ModelNotFoundError, load_scorer
from serving.scorer.lines import Readable, read_lines, score_lines

app = typer.Typer(add_completion=False)

_GZIP_MAGIC = b"\x1f\x8b"


@app.command()
def score(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="JSON lines, plain or gzip; none or - reads standard input.", show_default=False),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Model name under serving/models, or a model folder.")
    ] = DEFAULT_MODEL,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if any line was invalid (else: if all were).")
    ] = False,
) -> None:
    """Score chat lines, one JSON object a line, without servers.

    In: {"id", "text", "lang"?, "emotes"?}. Out, one line per line in, in order: {"id", "emotions" {28},
    "basic" {7}, "sentiment" -1..1, "toxicity", "hate", "sarcasm" 0..1, "lang",
    "abstained"}.

    An abstained line (unsupported language, nothing left after cleaning) carries all figures too; live, it is
    kept out of the indices. A line that is no such object gives {"id", "error"}; their number goes to
    standard error. Reads pipes of any length and answers as soon as the input pauses. Of a text, the first
    2,000 characters count.

    Example: echo '{"id": 1, "text": "what a play, amazing!"}' | pulse score
    """
    for file in files or []:
        if str(file) != "-" and not file.is_file():
            says = "is a directory" if file.is_dir() else "no such file"
            raise typer.BadParameter(f"{file}: {says}", param_hint="FILES")
    try:
        scorer = load_scorer(model)
    except ModelNotFoundError as error:
        raise typer.BadParameter(str(error), param_hint="--model") from error
    seen = invalid = 0
    out = sys.stdout.buffer
    try:
        for file in files or [Path("-")]:
            with ExitStack() as stack:
                for lines in read_lines(_open(file, stack)):
                    for answer, valid in score_lines(scorer, lines):
                        out.write(answer + b"\n")
                        invalid += not valid
                    seen += len(lines)
                    out.flush()
    except BrokenPipeError:
        # The reader has enough (`| head`): send the interpreter's last flush elsewhere.
        sys.stdout = sys.__stderr__
        raise SystemExit(0) from None
    except (gzip.BadGzipFile, EOFError) as error:
        typer.echo(f"pulse score: {file}: broken gzip: {error}", err=True)
        raise typer.Exit(1) from error
    if invalid:
        typer.echo(
            f"pulse score: {invalid} of {seen} lines were invalid (their answers hold `error`)", err=True
        )
    if invalid and (strict or invalid == seen):
        raise typer.Exit(1)


def _open(file: Path, stack: ExitStack) -> Readable:
    raw = cast(BufferedReader, sys.stdin.buffer) if str(file) == "-" else stack.enter_context(file.open("rb"))
    if raw.peek(2)[:2] == _GZIP_MAGIC:
        return cast(Readable, stack.enter_context(gzip.GzipFile(fileobj=raw)))
    return raw
