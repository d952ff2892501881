"""What an opinion says of one text."""

from typing import Annotated

import msgspec

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text as the language model reads it; `sentiment` is what the author means, not what is said."""

    sarcasm: Probability
    sentiment: Annotated[float, msgspec.Meta(ge=-1, le=1)]
    toxicity: Probability
