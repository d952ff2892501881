"""Control texts in every batch: if their figures are wrong, something in the batch has changed all figures.

One insult, one thanks, one sarcasm with figures that no reader doubts. "Set everything to 0" makes the insult
harmless and the sarcasm literal, "set everything to 1" makes the thanks toxic: either way the whole batch is
asked again, one text at a time.
"""

import random
from collections.abc import Mapping
from typing import Final, Literal

from connectors.opinion.figures import Figures

Kind = Literal["insult", "thanks", "sarcasm"]

TEXTS: Final[dict[Kind, tuple[str, ...]]] = {
    "insult": (
        "shut up you worthless idiot, nobody wants you here",
        "you are the dumbest piece of garbage on this site, get lost",
        "what a disgusting moron, i hate you and your stupid face",
        "go away you pathetic loser, everyone here despises you",
    ),
    "thanks": (
        "thank you so much for the stream, this made my day",
        "congratulations, i am really happy for you, well deserved",
        "i love this song, it is so beautiful",
        "that was a wonderful show, thanks to the whole team",
    ),
    "sarcasm": (
        "oh great, another ad break, exactly what i needed /s",
        "wow, he died to the first boss again, what a genius Kappa",
        "sure, the server crashed five times today, amazing quality as always /s",
        "yeah right, waiting two hours for this was totally worth it Kappa",
    ),
}


def draw(chance: random.Random) -> dict[Kind, str]:
    """One text of each kind."""
    return {kind: chance.choice(texts) for kind, texts in TEXTS.items()}


def hold(found: Mapping[Kind, Figures]) -> bool:
    """Whether the controls' figures are what everybody would say; a missing one is wrong."""
    if found.keys() != TEXTS.keys():
        return False
    insult, thanks, sarcasm = found["insult"], found["thanks"], found["sarcasm"]
    return (
        insult.toxicity >= 0.5 > thanks.toxicity
        and insult.sentiment < 0 < thanks.sentiment
        and sarcasm.sarcasm >= 0.5 > thanks.sarcasm
    )
