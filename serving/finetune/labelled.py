"""A partner's labelled file: columns to targets, and a frozen held-out part."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.core.text.plain import prepare_texts
from serving.training.labels import HEADS, SENTIMENTS, SLICES, TARGETS

TRAIN, DEV, TEST = "train", "dev", "test"
_TEST_SHARE: Final = 0.2
_DEV_SHARE: Final = 0.15
_LEAST_ROWS: Final = {TRAIN: 50, DEV: 20, TEST: 20}

COLUMNS: Final = """
text       the chat line (needed)
sentiment  negative, neutral or positive; or -1, 0, 1
toxicity, hate, sarcasm   0 to 1, or true and false
emotions   names of the 28 fine emotions that apply: a list, or joined by |; an empty list says none
basic      the same with joy, sadness, anger, fear, surprise, disgust, neutral
group      rows of one group stay on one side of the split (a stream, an annotator's batch)
split      train, dev or test; without it 65 % train, 15 % tune and stop, 20 % are held out for the report
"""
"""What a file may hold. A missing column or an empty cell says nothing about that figure."""


class LabelledFileError(Exception):
    """The file cannot be used; says where and why, without its text."""


@dataclass(frozen=True)
class Labelled:
    """Rows of a file; every array has one entry (or row) a text."""

    texts: list[str]
    """Prepared: canonical, with the meaning of emotes."""
    targets: NDArray[np.float32]
    known: NDArray[np.bool_]
    """Which entries of `targets` the file says something about; both in the order of `training.labels`."""
    parts: NDArray[np.str_]
    digest: str
    """SHA-256 of the file."""

    def rows(self, part: str) -> NDArray[np.int64]:
        """Indices of the rows of TRAIN, DEV or TEST."""
        return np.flatnonzero(self.parts == part)


def read_labelled(path: Path) -> Labelled:
    """Read a Parquet or CSV file with the COLUMNS.

    The split is by hash of the group, else of the canonical text: the same for the same rows, whatever else
    the file holds. Rows of the train part whose text stands in another part are left out.

    Raises:
        LabelledFileError: If the file cannot be read, a cell is invalid, or too few rows are labelled.
    """
    table = _table(path)
    if "text" not in table.column_names:
        raise LabelledFileError(f"{path} has no column text, only {', '.join(table.column_names)}")
    labels = [name for name in ("sentiment", *_SCALARS, *_LISTS) if name in table.column_names]
    if not labels:
        raise LabelledFileError(f"{path} has no column of labels; it may hold:{COLUMNS}")
    texts = [_text(value, row) for row, value in enumerate(table["text"].to_pylist(), 1)]
    targets = np.zeros((len(texts), TARGETS), dtype=np.float32)
    known = np.zeros((len(texts), TARGETS), dtype=np.bool_)
    for name in labels:
        for row, value in enumerate(table[name].to_pylist()):
            if value is not None and value != "":
                _fill(name, value, row + 1, targets[row], known[row])
    prepared = prepare_texts(texts)
    parts = _split(table, prepared)
    held_out = {text for text, part in zip(prepared, parts, strict=True) if part != TRAIN}
    useful = [
        at
        for at, text in enumerate(prepared)
        if text and known[at].any() and (parts[at] != TRAIN or text not in held_out)
    ]
    found = Labelled(
        [prepared[at] for at in useful], targets[useful], known[useful], np.array(parts)[useful],
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )  # fmt: skip
    for part, least in _LEAST_ROWS.items():
        if len(found.rows(part)) < least:
            count = len(found.rows(part))
            raise LabelledFileError(
                f"{path} has {count} labelled rows in its {part} part; {least} are needed"
            )
    return found


def _table(path: Path) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path)
        if path.suffix == ".csv":
            # All cells as text: a column of "1" and "" must not depend on how its type is guessed.
            names = pa_csv.open_csv(path).schema.names
            convert = pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=True, null_values=[""]
            )
            parse = pa_csv.ParseOptions(newlines_in_values=True)
            return pa_csv.read_csv(path, convert_options=convert, parse_options=parse)
    except (pa.ArrowInvalid, OSError) as error:
        raise LabelledFileError(f"{path} cannot be read: {error}") from error
    raise LabelledFileError(f"{path}: the name must end in .parquet or .csv")


def _text(value: Any, row: int) -> str:
    if not isinstance(value, str):
        raise LabelledFileError(f"row {row}: text is {'missing' if value is None else 'not a string'}")
    return value.encode("utf-8", "ignore").decode()


def _fill(name: str, value: Any, row: int, targets: NDArray[np.float32], known: NDArray[np.bool_]) -> None:
    try:
        places, values = _READERS[name](name, value)
    except (TypeError, ValueError, KeyError) as error:
        raise LabelledFileError(f"row {row}: column {name} is invalid: {error}") from error
    targets[SLICES[places]] = values
    known[SLICES[places]] = True


def _sentiment(_name: str, value: Any) -> tuple[str, list[float]]:
    names = dict(zip(("-1", "0", "1"), SENTIMENTS, strict=True)) | {name: name for name in SENTIMENTS}
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    chosen = names.get(str(value).strip().lower())
    if chosen is None:
        raise ValueError("say negative, neutral or positive, or -1, 0 or 1")
    return "sentiment", [float(name == chosen) for name in SENTIMENTS]


def _scalar(name: str, value: Any) -> tuple[str, list[float]]:
    truth = {"true": 1.0, "false": 0.0}
    number = truth[value.strip().lower()] if str(value).strip().lower() in truth else float(value)
    if not 0 <= number <= 1:
        raise ValueError("a number from 0 to 1, true or false")
    return name, [number]


def _list(name: str, value: Any) -> tuple[str, list[float]]:
    given = value.split("|") if isinstance(value, str) else value
    named = {label.strip().lower() for label in given} - {""}
    if unknown := named - set(HEADS[name]):
        raise ValueError(f"no such label: {', '.join(sorted(unknown))}")
    return name, [float(label in named) for label in HEADS[name]]


_SCALARS: Final = ("toxicity", "hate", "sarcasm")
_LISTS: Final = ("emotions", "basic")
_READERS: Final[dict[str, Callable[[str, Any], tuple[str, list[float]]]]] = {
    "sentiment": _sentiment,
    **dict.fromkeys(_SCALARS, _scalar),
    **dict.fromkeys(_LISTS, _list),
}


def _split(table: pa.Table, texts: Sequence[str]) -> list[str]:
    if "split" in table.column_names:
        parts: list[str] = table["split"].to_pylist()
        if unknown := set(parts) - {TRAIN, DEV, TEST}:
            raise LabelledFileError(
                f"column split holds {', '.join(map(str, unknown))}: say train, dev or test"
            )
        return parts
    groups = table["group"].to_pylist() if "group" in table.column_names else [None] * len(texts)
    return [_part(str(group) if group else text) for group, text in zip(groups, texts, strict=True)]


def _part(key: str) -> str:
    """The part of a group or text, the same for ever."""
    place = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=6).digest()) / 2**48
    return TEST if place < _TEST_SHARE else DEV if place < _TEST_SHARE + _DEV_SHARE else TRAIN
