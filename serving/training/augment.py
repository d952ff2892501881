"""Attacked copies of training rows, toxic and harmless: what the preparation cannot undo is learned."""

from collections.abc import Sequence
from random import Random
from typing import Final

from pipelines.core.text.plain import prepare_texts
from serving.training.attacks import ATTACKS

_SEED: Final = 20_251_128


def attacked_copies(
    written: Sequence[str], prepared: Sequence[str], share: float, seed: int = _SEED
) -> list[tuple[int, str]]:
    """Prepared attacked copies of about `share` of some texts, each with the index of its original.

    Each chosen text goes through one attack of the suite. Copies that the preparation reads like the
    original, or as nothing, are left out. The same for the same seed.
    """
    random = Random(seed)
    attacks = list(ATTACKS.values())
    chosen = [index for index in range(len(written)) if random.random() < share]
    copies = prepare_texts([random.choice(attacks)(written[index], random) for index in chosen])
    return [
        (index, copy) for index, copy in zip(chosen, copies, strict=True) if copy and copy != prepared[index]
    ]
