"""The SQL files of the jobs, with their `${placeholders}` filled."""

from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent / "sql"


def statement(name: str, **values: str | float) -> str:
    """The statement `sql/NAME.sql`.

    Raises:
        KeyError: if a placeholder has no value.
    """
    return Template((FOLDER / f"{name}.sql").read_text(encoding="utf-8")).substitute(values)
