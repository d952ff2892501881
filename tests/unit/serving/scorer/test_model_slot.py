"""A model is replaced while requests go on; what cannot be loaded replaces nothing."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from serving.scorer.backend import ModelNotFoundError
from serving.scorer.model_slot import ModelSlot


class Loader:
    """Loads any name; waits for `go` unless it is set; knows no model called "missing"."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.go, self.entered = threading.Event(), threading.Event()
        self.go.set()

    def __call__(self, model: str) -> Any:
        self.entered.set()
        assert self.go.wait(10)
        self.loaded.append(model)
        if model == "missing":
            raise ModelNotFoundError("no model at missing")
        if model == "broken":
            raise OSError("disk on fire")
        return SimpleNamespace(name=model)


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def slot(loader: Loader) -> ModelSlot:
    slot = ModelSlot(loader)
    slot.use("a")
    return slot


def test_the_first_model_is_there_when_the_call_returns(slot: ModelSlot) -> None:
    assert slot.scorer.name == "a"
    assert not slot.loading


def test_the_first_model_must_load_and_may_be_tried_again() -> None:
    loader = Loader()
    slot = ModelSlot(loader)
    for _ in range(2):
        with pytest.raises(ModelNotFoundError):
            slot.use("missing")
    slot.use("a")
    assert slot.scorer.name == "a"


def test_the_old_model_serves_until_the_new_one_is_there(slot: ModelSlot, loader: Loader) -> None:
    loader.go.clear()
    loader.entered.clear()
    slot.use("b")
    assert loader.entered.wait(10)
    assert (slot.scorer.name, slot.loading) == ("a", True)
    loader.go.set()
    slot.wait(10)
    assert (slot.scorer.name, slot.loading, slot.failure) == ("b", False, None)


@pytest.mark.parametrize(("model", "told"), [("missing", "no model at missing"), ("broken", "disk on fire")])
def test_what_cannot_be_loaded_leaves_the_old_one(slot: ModelSlot, model: str, told: str) -> None:
    slot.use(model)
    slot.wait(10)
    assert slot.scorer.name == "a"
    assert told in str(slot.failure)
    slot.use("b")
    slot.wait(10)
    assert (slot.scorer.name, slot.failure) == ("b", None)


def test_the_newest_wish_counts(slot: ModelSlot, loader: Loader) -> None:
    loader.go.clear()
    for model in ("b", "missing", "c"):
        slot.use(model)
    loader.go.set()
    slot.wait(10)
    assert (slot.scorer.name, slot.failure) == ("c", None)


def test_the_model_in_service_is_not_loaded_again(slot: ModelSlot, loader: Loader) -> None:
    slot.use("a")
    slot.wait(10)
    assert loader.loaded == ["a"]
