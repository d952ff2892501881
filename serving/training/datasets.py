"""Labelled sets as arrays: prepared texts, targets, frozen splits without leakage."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.core.text.batch import normalise_all
from pipelines.core.text.plain import prepare_texts
from pipelines.core.text.prepare import MAX_CODE_POINTS
from serving.training.augment import attacked_copies
from serving.training.labels import SetLabels, label_map, target
from serving.training.split_key import split_key

TRAIN, DEV, TEST = 0, 1, 2
_PARTS: Final = {"train": TRAIN, "dev": DEV, "test": TEST}
# Share of an own split that goes to its frozen test part; of a train part, to a missing dev part.
_TEST_SHARE: Final = 0.15
_DEV_SHARE: Final = 0.07
_DEV_ROWS: Final = 1_500


class DataMissingError(Exception):
    """The folder with labelled sets is not there."""


@dataclass(frozen=True)
class Corpus:
    """Rows of all sets; every array has one entry (or row) a text."""

    texts: list[str]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]
    sets: NDArray[np.int16]
    set_names: tuple[str, ...]
    langs: NDArray[np.str_]
    parts: NDArray[np.int8]

    def rows(self, part: int, set_name: str | None = None) -> NDArray[np.int64]:
        """Indices of the rows of a part (TRAIN, DEV, TEST), of one set if named."""
        chosen = self.parts == part
        if set_name is not None:
            chosen &= self.sets == self.set_names.index(set_name)
        return np.flatnonzero(chosen)


def data_folder() -> Path:
    """Folder of the shared data: PULSE_SHARED/data, else ../shared/data beside the repository.

    Raises:
        DataMissingError: If it holds no labelled sets.
    """
    repository = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("PULSE_SHARED", repository.parent / "shared")) / "data"
    if not (folder / "labelled").is_dir():
        raise DataMissingError(f"no labelled sets in {folder / 'labelled'}; name the folder by PULSE_SHARED")
    return folder


def load_corpus(folder: Path, names: Iterable[str] | None = None, attacked: float = 0.0) -> Corpus:
    """Load the sets of the label map (or those named) with frozen splits.

    A set without a test part: its dev part is the test if it has one, else a share of groups by hash. A set
    without a dev part lends a share of its train groups. Then train rows whose canonical text stands in any
    dev or test part are dropped, except for sets that repeat short utterances by nature (conda), whose unseen
    test texts are reported apart. `attacked` is the share of train rows labelled for toxicity, both ways, of
    which an attacked copy is added (see `attacked_copies`).
    """
    sets = {name: labels for name, labels in label_map().sets.items() if names is None or name in set(names)}
    texts: list[str] = []
    columns: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    set_ids, langs, parts = [], [], []
    written: dict[int, str] = {}
    for index, (name, labels) in enumerate(sets.items()):
        rows = pq.read_table(folder / "labelled" / f"{name}.parquet").to_pylist()
        prepared = prepare_texts([row["text"] for row in rows])
        of_rows = _split(rows, labels)
        written |= {
            len(texts) + at: row["text"]
            for at, (row, part) in enumerate(zip(rows, of_rows, strict=True))
            if attacked and part == TRAIN and row["toxic"] is not None
        }
        texts += prepared
        columns += [target(row, labels) for row in rows]
        parts += of_rows
        set_ids += [index] * len(rows)
        langs += [row["lang"] for row in rows]
    corpus = Corpus(
        texts,
        np.stack([values for values, _ in columns]),
        np.stack([weights for _, weights in columns]),
        np.array(set_ids, dtype=np.int16),
        tuple(sets),
        np.array(langs),
        np.array(parts, dtype=np.int8),
    )
    return _without_leaks(_with_copies(corpus, written, attacked) if attacked else corpus)


def _with_copies(corpus: Corpus, written: dict[int, str], share: float) -> Corpus:
    """The corpus with attacked copies of some train rows; `written` holds their texts as in the file."""
    held_out = {corpus.texts[i] for i in np.flatnonzero(corpus.parts != TRAIN)}
    rows = [row for row in written if corpus.texts[row] not in held_out]
    copies = attacked_copies([written[row] for row in rows], [corpus.texts[row] for row in rows], share)
    origin = np.array([rows[at] for at, _ in copies], dtype=np.int64)
    every = np.concatenate([np.arange(len(corpus.texts)), origin])
    return Corpus(
        corpus.texts + [copy for _, copy in copies],
        corpus.targets[every],
        corpus.weights[every],
        corpus.sets[every],
        corpus.set_names,
        corpus.langs[every],
        corpus.parts[every],
    )


def raw_rows(folder: Path, name: str, part: int) -> list[dict[str, Any]]:
    """Rows of one part of a set as they stand in the file, unprepared; the split is that of `load_corpus`."""
    rows: list[dict[str, Any]] = pq.read_table(folder / "labelled" / f"{name}.parquet").to_pylist()
    parts = _split(rows, label_map().sets[name])
    return [row for row, of_row in zip(rows, parts, strict=True) if of_row == part]


def _bucket(key: str) -> float:
    """A number in [0, 1) from a key, the same for ever."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=6).digest()) / 2**48


def _split(rows: list[dict[str, Any]], labels: SetLabels) -> list[int]:
    grouped = labels.groups
    # Canonical texts, not what the model reads today: a frozen split must outlive a change of the latter.
    texts = normalise_all([row["text"][:MAX_CODE_POINTS] for row in rows]).texts
    keys = [
        str(row["group"]) if grouped and row["group"] else split_key(text)
        for row, text in zip(rows, texts, strict=True)
    ]
    given = {row["split"] for row in rows}
    parts = [_PARTS[row["split"]] for row in rows]
    if "test" not in given and "dev" in given:
        parts = [TEST if part == DEV else part for part in parts]
    elif labels.own_split and "test" not in given:
        parts = [TEST if _bucket("test" + key) < _TEST_SHARE else TRAIN for key in keys]
    if DEV not in parts:
        share = min(_DEV_SHARE, _DEV_ROWS / max(1, parts.count(TRAIN)))
        parts = [
            DEV if part == TRAIN and _bucket("dev" + key) < share else part
            for part, key in zip(parts, keys, strict=True)
        ]
    return parts


def _without_leaks(corpus: Corpus) -> Corpus:
    repeats = "conda"
    held_out = {corpus.texts[i] for i in np.flatnonzero(corpus.parts != TRAIN)}
    keep = [
        i
        for i, text in enumerate(corpus.texts)
        if text and (
            corpus.parts[i] != TRAIN
            or text not in held_out
            or corpus.set_names[corpus.sets[i]] == repeats
        )
    ]  # fmt: skip
    return Corpus(
        [corpus.texts[i] for i in keep],
        corpus.targets[keep],
        corpus.weights[keep],
        corpus.sets[keep],
        corpus.set_names,
        corpus.langs[keep],
        corpus.parts[keep],
    )
