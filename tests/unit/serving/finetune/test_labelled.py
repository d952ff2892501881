"""Partners' files: what they hold, how mistakes are told, and that nothing leaks into the held-out part."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.finetune.labelled import DEV, TEST, TRAIN, Labelled, LabelledFileError, read_labelled
from serving.training.labels import HEADS, SLICES

ROWS = 400


def _csv(path: Path, header: str, row: str, rows: int = ROWS) -> Path:
    path.write_text("\n".join([header, *(row.replace("#", str(at)) for at in range(rows))]) + "\n")
    return path


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    texts = [f"line number {at}" for at in range(ROWS)]
    table = pa.table(
        {"text": texts, "toxicity": [1.0] * ROWS, "sentiment": [-1] * ROWS, "emotions": [["joy"]] * ROWS}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    _csv(tmp_path / "a.csv", "text,toxicity,sentiment,emotions", "line number #,1,negative,joy")
    one, other = read_labelled(tmp_path / "a.parquet"), read_labelled(tmp_path / "a.csv")
    assert one.texts == other.texts
    assert (one.targets == other.targets).all()
    assert (one.known == other.known).all()
    assert (one.parts == other.parts).all()


def test_an_empty_cell_says_nothing_and_an_empty_list_says_none(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": [f"line {at}" for at in range(ROWS)],
            "toxicity": pa.array([None, 0.25] * (ROWS // 2)),
            "basic": pa.array([[], None] * (ROWS // 2), pa.list_(pa.string())),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    data = read_labelled(tmp_path / "a.parquet")
    toxic, basic = SLICES["toxicity"], SLICES["basic"]
    assert {(bool(known[toxic].all()), bool(known[basic].all())) for known in data.known} == {
        (False, True),
        (True, False),
    }
    assert set(data.targets[data.known[:, toxic.start], toxic].ravel().tolist()) == {0.25}
    assert data.targets[:, basic].sum() == 0


def test_the_split_is_by_text_and_does_not_depend_on_the_other_rows(tmp_path: Path) -> None:
    whole = read_labelled(_csv(tmp_path / "whole.csv", "text,hate", "line number #,0"))
    half = read_labelled(_csv(tmp_path / "half.csv", "text,hate", "line number #,0", ROWS // 2))
    part = dict(zip(whole.texts, whole.parts, strict=True))
    assert all(part[text] == found for text, found in zip(half.texts, half.parts, strict=True))
    assert 0.1 < (whole.parts == TEST).mean() < 0.3


def test_no_held_out_text_is_trained_on_and_groups_stay_together(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [f"line {at % 150},{at % 2},g{at % 40}" for at in range(1_200)]
    path.write_text("\n".join(["text,toxicity,group", *lines]))
    data = read_labelled(path)
    assert _texts(data, TRAIN).isdisjoint(_texts(data, DEV) | _texts(data, TEST))


def _texts(data: Labelled, part: str) -> set[str]:
    return {data.texts[row] for row in data.rows(part)}


@given(st.sampled_from([name for name in HEADS if name not in ("sentiment",)]), st.text(max_size=8))
def test_any_cell_is_read_or_refused_by_row(
    tmp_path_factory: pytest.TempPathFactory, name: str, cell: str
) -> None:
    path = tmp_path_factory.mktemp("cells") / "a.parquet"
    texts = [f"line {at}" for at in range(ROWS)]
    good = "0" if HEADS[name] == (name,) else ""
    cells = [cell.encode("utf-8", "ignore").decode(), *[good or None] * (ROWS - 1)]
    pq.write_table(pa.table({"text": texts, name: pa.array(cells, pa.string()), "sarcasm2": cells}), path)
    try:
        read_labelled(path)
    except LabelledFileError as error:
        assert "row 1: column" in str(error) or "labelled rows" in str(error)


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        ("line,toxicity", "x #,1", "no column text, only line, toxicity"),
        ("text,mood", "x #,1", "no column of labels"),
        ("text,toxicity", "x #,7", "row 1: column toxicity is invalid: a number from 0 to 1"),
        ("text,sentiment", "x #,meh", "row 1: column sentiment is invalid"),
        ("text,emotions", "x #,joy|mirth", "no such label: mirth"),
        ("text,toxicity", ",1", "row 1: text is missing"),
        ("text,toxicity,split", "x #,1,holdout", "say train, dev or test"),
        ("text,toxicity,split", "x #,1,train", "0 labelled rows in its dev part"),
        ("text,toxicity", "same,1", "labelled rows in its"),
        ("text,toxicity", "x #,", "labelled rows in its"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, header: str, row: str, told: str) -> None:
    with pytest.raises(LabelledFileError, match=told):
        read_labelled(_csv(tmp_path / "a.csv", header, row))


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", b""), ("a.parquet", b"x"), ("a.xlsx", b"x"), ("a.csv", b"\xff\xfe")]
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabelledFileError):
        read_labelled(tmp_path / name)
