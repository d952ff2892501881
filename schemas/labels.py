"""Canonical order of every label vector that crosses a room boundary.

The order is part of the contract: `pulse.windows.v1` stores sums as arrays in this order.
"""

from typing import Final

# The 27 emotions and neutral of GoEmotions (Demszky et al. 2020, https://arxiv.org/abs/2005.00547).
EMOTIONS: Final[tuple[str, ...]] = (
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "approval",
    "caring",
    "confusion",
    "curiosity",
    "desire",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "excitement",
    "fear",
    "gratitude",
    "grief",
    "joy",
    "love",
    "nervousness",
    "optimism",
    "pride",
    "realization",
    "relief",
    "remorse",
    "sadness",
    "surprise",
    "neutral",
)

# Ekman's six and neutral.
BASIC: Final[tuple[str, ...]] = ("joy", "sadness", "anger", "fear", "surprise", "disgust", "neutral")

SCALE: Final[int] = 10_000
"""Scores are stored in windows as round(score * SCALE), so that sums of integers compare exactly."""
