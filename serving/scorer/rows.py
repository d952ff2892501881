"""Answers of the model call as rows for people and JSON lines."""

from typing import Any

import pyarrow as pa

from schemas.labels import BASIC, EMOTIONS

_DIGITS = 4


def rows_from_response(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows of a RESPONSE batch, labels by name, figures rounded to 4 digits (the grain of the windows)."""
    return [
        {
            "id": row["id"],
            "emotions": _named(EMOTIONS, row["emotions"]),
            "basic": _named(BASIC, row["basic"]),
            **{name: round(row[name], _DIGITS) for name in ("sentiment", "toxicity", "hate", "sarcasm")},
            "lang": row["lang"],
            "abstained": row["abstained"],
        }
        for row in batch.to_pylist()
    ]


def _named(labels: tuple[str, ...], values: list[float]) -> dict[str, float]:
    return {label: round(value, _DIGITS) for label, value in zip(labels, values, strict=True)}
