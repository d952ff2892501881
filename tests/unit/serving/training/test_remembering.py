"""A model that remembers: the same answers, each text computed once."""

from pathlib import Path

import numpy as np
import pytest

from serving.scorer.fast import FastScorer
from serving.training.remembering import Remembering
from tests.unit.serving.scorer.stub_model import write_stub_model


def test_answers_are_the_models_own_and_computed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FastScorer.load(write_stub_model(tmp_path / "stub"))
    texts = ["ab cd", "ef gh", "ab cd", "xy", ""]
    expected = model.forward(texts)
    asked: list[str] = []
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda texts: (asked.extend(texts), forward(texts))[1])
    remembering = Remembering(model)
    for _ in range(2):
        for head, values in remembering.forward(texts).items():
            np.testing.assert_array_equal(values, expected[head])
    again = remembering.forward(["xy", "zz"])
    np.testing.assert_array_equal(again["toxicity"][0], expected["toxicity"][3])
    assert sorted(asked) == sorted({*texts, "zz"})
    assert remembering.forward([])["toxicity"].shape == (0, 1)
