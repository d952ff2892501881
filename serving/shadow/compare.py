"""Lines as two models score them: the sample, the differences, and their summary."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from pipelines.core.scored import SCALARS, score_integers, score_request
from schemas.labels import BASIC, EMOTIONS, SCALE
from schemas.records import ScoreDifference, ScoredMessage
from serving.scorer.backend import Scorer

FIGURES: Final = (
    *(f"emotions.{label}" for label in EMOTIONS),
    *(f"basic.{label}" for label in BASIC),
    *SCALARS,
)
"""Names of the figures, in the column order of `score_integers`."""
DECISION: Final = 0.5
"""A figure on the other side of this counts as a changed decision (sentiment: of 0)."""


def differences(
    candidate: Scorer, messages: Sequence[ScoredMessage], share: float, now_ms: int
) -> list[ScoreDifference]:
    """Score lines again by the candidate, and set both models' figures side by side, in order.

    The candidate reads no language hint: what the model in service found would be its own answer. Lines that
    the candidate itself has scored are left out.
    """
    own = (candidate.name, candidate.version)
    others = [message for message in messages if (message.model, message.model_version) != own]
    if not others:
        return []
    answer = candidate.score(
        score_request([msgspec.structs.replace(message, lang=None) for message in others])
    )
    columns = zip(
        others, score_integers(answer).tolist(), answer["lang"].to_pylist(), answer["abstained"].to_pylist(),
        strict=True,
    )  # fmt: skip
    return [
        ScoreDifference(
            workspace=message.workspace,
            channel=message.channel,
            stream_id=message.stream_id,
            message_id=message.message_id,
            sent_at=message.sent_at,
            expires_at=message.expires_at,
            compared_at=now_ms,
            model=message.model,
            model_version=message.model_version,
            candidate=candidate.name,
            candidate_version=candidate.version,
            share=share,
            lang=message.lang,
            candidate_lang=lang,
            abstained=message.abstained,
            candidate_abstained=abstained,
            scores=_figures(message),
            candidate_scores={name: value / SCALE for name, value in zip(FIGURES, integers, strict=True)},
        )
        for message, integers, lang, abstained in columns
    ]


class Summary:
    """Adds up differences; what it says needs no record to be kept."""

    def __init__(self) -> None:
        self._pairs: set[tuple[str, str]] = set()
        self._lines = self._languages = self._abstentions = 0
        self.unreadable = 0
        """Records that were no scored lines; the sink makes dead letters of them."""
        self._moved = dict.fromkeys(FIGURES, 0.0)
        self._signed = dict.fromkeys(FIGURES, 0.0)
        self._flipped = dict.fromkeys(FIGURES, 0)

    def add(self, difference: ScoreDifference) -> None:
        """Count one line."""
        self._lines += 1
        self._pairs.add(
            (
                f"{difference.model} {difference.model_version}",
                f"{difference.candidate} {difference.candidate_version}",
            )
        )
        self._languages += difference.lang != difference.candidate_lang
        self._abstentions += difference.abstained != difference.candidate_abstained
        for name in FIGURES:
            old, new = difference.scores[name], difference.candidate_scores[name]
            limit = 0.0 if name == "sentiment" else DECISION
            self._moved[name] += abs(new - old)
            self._signed[name] += new - old
            self._flipped[name] += (old >= limit) != (new >= limit)

    def values(self) -> dict[str, Any]:
        """Lines compared, shares with another language or abstention, and each figure's changes.

        Of a figure: mean change, mean absolute change, share of lines on the other side of the decision line.
        """
        lines = max(1, self._lines)
        return {
            "lines": self._lines,
            "unreadable": self.unreadable,
            "models": sorted({old for old, _ in self._pairs}),
            "candidates": sorted({new for _, new in self._pairs}),
            "other_language": round(self._languages / lines, 4),
            "other_abstention": round(self._abstentions / lines, 4),
            "figures": {
                name: {
                    "mean_change": round(self._signed[name] / lines, 4),
                    "mean_absolute_change": round(self._moved[name] / lines, 4),
                    "changed_decisions": round(self._flipped[name] / lines, 4),
                }
                for name in FIGURES
            },
        }


def _figures(message: ScoredMessage) -> dict[str, float]:
    return (
        {f"emotions.{name}": value for name, value in message.emotions.items()}
        | {f"basic.{name}": value for name, value in message.basic.items()}
        | {name: getattr(message, name) for name in SCALARS}
    )
