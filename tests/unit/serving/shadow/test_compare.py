"""A candidate beside the model in service: which lines, which figures, and what the sum of them says."""

from pathlib import Path

import msgspec
import pytest

from schemas.records import ScoredMessage
from serving.scorer.fast import FastScorer
from serving.shadow.compare import FIGURES, Summary, differences
from tests.unit.serving.scorer.stub_model import write_stub_model

LINE = Path(__file__).parents[4] / "schemas" / "examples" / "chat.scored.v1" / "1" / "line.json"


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> FastScorer:
    return FastScorer.load(write_stub_model(tmp_path_factory.mktemp("models") / "stub"))


def _line(**fields: object) -> ScoredMessage:
    return msgspec.structs.replace(msgspec.json.decode(LINE.read_bytes(), type=ScoredMessage), **fields)


def test_both_models_figures_stand_side_by_side_without_text_or_author(candidate: FastScorer) -> None:
    message = _line()
    (found,) = differences(candidate, [message], 0.05, 1_767_225_700_000)
    assert (found.model, found.candidate, found.candidate_version) == (message.model, "stub", "0")
    assert set(found.scores) == set(found.candidate_scores) == set(FIGURES)
    assert found.scores["emotions.joy"] == message.emotions["joy"]
    assert found.scores["toxicity"] == message.toxicity
    encoded = msgspec.json.encode(found).decode()
    assert message.text not in encoded
    assert message.author not in encoded


def test_the_candidate_is_not_told_the_language_that_was_found(candidate: FastScorer) -> None:
    (hinted,) = differences(candidate, [_line(text="😂😂", lang="de")], 1.0, 0)
    assert (hinted.lang, hinted.candidate_lang) == ("de", "und")


def test_lines_that_the_candidate_scored_itself_are_left_out(candidate: FastScorer) -> None:
    own = _line(model="stub", model_version="0")
    assert differences(candidate, [own], 1.0, 0) == []
    assert len(differences(candidate, [own, _line()], 1.0, 0)) == 1


def test_the_summary_counts_moves_and_changed_decisions(candidate: FastScorer) -> None:
    (found,) = differences(candidate, [_line()], 1.0, 0)
    summary = Summary()
    for toxic, now in ((0.4, 0.6), (0.6, 0.7)):
        scores, changed = (
            found.scores | {"toxicity": toxic},
            found.scores | {"toxicity": now, "sentiment": -0.5},
        )
        summary.add(
            msgspec.structs.replace(found, scores=scores, candidate_scores=changed, candidate_lang="xx")
        )
    values = summary.values()
    assert values["lines"] == 2
    assert values["other_language"] == 1.0
    assert values["figures"]["toxicity"] == {
        "mean_change": pytest.approx(0.15),
        "mean_absolute_change": pytest.approx(0.15),
        "changed_decisions": 0.5,
    }
    assert values["figures"]["hate"]["mean_absolute_change"] == 0
    flipped = float(found.scores["sentiment"] >= 0)
    assert values["figures"]["sentiment"]["changed_decisions"] == flipped


def test_an_empty_summary_is_a_summary() -> None:
    assert Summary().values()["lines"] == 0
