import gzip
import os
import re
from pathlib import Path
from typing import get_args

import pyarrow.parquet as pq
import pytest

from connectors.simulator import build_texts
from connectors.simulator.scenario import Language
from connectors.simulator.speech import bank, grammar, hostile_phrases, phrases

LANGUAGES = get_args(Language)
LABELLED = Path(os.environ.get("PULSE_SHARED", Path(__file__).parents[5] / "shared")) / "data" / "labelled"
needs_data = pytest.mark.skipif(not LABELLED.is_dir(), reason="needs ../shared/data (set PULSE_SHARED)")
_LINK_OR_NAME = re.compile(r"@|#|https?:|www\.|\[NAME\]|\[PERSON\]|\w\.(com|net|org|ru|de|es)\b")


def test_the_bank_holds_no_mentions_links_or_placeholders() -> None:
    texts = [text for lines in bank().values() for text in lines]
    assert len(texts) > 3_000
    assert not [text for text in texts if _LINK_OR_NAME.search(text)]
    assert max(map(len, texts)) <= build_texts.LONGEST


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_all_phrases(lang: str) -> None:
    own = phrases()["langs"]
    assert set(own[lang]) == set(own["en"])
    assert set(grammar()[lang]) == {"laugh", "talk", "loss"}
    assert {"insult", "templates", "end", "paraphrase"} == set(hostile_phrases()[lang])
    assert len(hostile_phrases()[lang]["templates"]) >= 3
    assert bank()[lang, "neutral"]
    assert all("{url}" in line for line in own[lang]["spam"])
    assert all("{name}" in line and "{n}" in line for line in own[lang]["raid_line"])


def test_attribution_names_every_set_with_an_open_licence() -> None:
    page = build_texts.ATTRIBUTION.read_text("utf-8")
    for source in build_texts.SETS:
        assert source.licence in ("Apache-2.0", "CC BY 4.0")
        assert f"| {source.name} | {source.source} | {source.licence} |" in page


@pytest.mark.data
@needs_data
def test_the_bank_is_what_the_script_builds() -> None:
    rows = build_texts.build(LABELLED)
    assert gzip.decompress(build_texts.encode(rows)) == gzip.decompress(build_texts.BANK.read_bytes())
    assert build_texts.attribution(rows) == build_texts.ATTRIBUTION.read_text("utf-8")


@pytest.mark.data
@needs_data
def test_no_line_of_the_bank_stands_in_a_test_or_dev_split_of_its_sets() -> None:
    texts = {text.lower() for lines in bank().values() for text in lines if len(text) > 25}
    for source in build_texts.SETS:
        table = pq.read_table(LABELLED / f"{source.name}.parquet", columns=["text", "split"])
        held_out = {
            build_texts.casual(" ".join(row["text"].split())).lower()
            for row in table.to_pylist()
            if row["split"] != "train"
        }
        assert not texts & held_out
