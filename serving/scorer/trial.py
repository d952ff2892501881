"""The other model of an A/B test: it scores a share of the streams, the model in service the rest."""

from collections.abc import Callable
from typing import Any

from serving.scorer.backend import Scorer
from serving.scorer.model_slot import ModelSlot


class Trial:
    """Holds model b while there is one. It loads in the background and is never needed: `a` stands in.

    Args:
        load: Loads a model by its name; called in a thread of its own.
    """

    def __init__(self, load: Callable[[str], Scorer]) -> None:
        self._load = load
        self._slot: ModelSlot | None = None
        self._share = 0.0

    @property
    def scorer(self) -> Scorer | None:
        """Model b, once it is loaded."""
        slot = self._slot
        return slot.scorer if slot is not None and slot.ready else None

    @property
    def share(self) -> float:
        """The share of the streams that b scores now; 0 while there is none."""
        return self._share if self.scorer is not None else 0.0

    def use(self, model: str | None, share: float) -> None:
        """Try this model on this share of the streams; without either, end the trial. Returns at once."""
        if not model or not share:
            self._slot, self._share = None, 0.0
            return
        self._share = share
        if self._slot is None:
            self._slot = ModelSlot(self._load, first_in_background=True)
        self._slot.use(model)

    def info(self) -> dict[str, Any] | None:
        """What it is and whether it is on its way; None without a trial."""
        slot = self._slot
        if slot is None:
            return None
        scorer = self.scorer
        return {
            "model": scorer and scorer.name,
            "model_version": scorer and scorer.version,
            "wanted": slot.wanted,
            "loading": slot.loading,
            "failure": slot.failure,
            "share": self._share,
        }
