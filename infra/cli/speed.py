"""The option --speed."""

import typer


def parse_speed(text: str) -> float | None:
    """How many times faster than recorded; None for `max`.

    Raises:
        typer.BadParameter: neither a number from 0.001 to 1,000,000 nor `max`.
    """
    if text == "max":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0.001 <= factor <= 1_000_000:
        raise typer.BadParameter("a number of times, such as 10, or max", param_hint="--speed")
    return factor
