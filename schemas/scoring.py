"""Arrow schemas of the model call `POST /score`: one request holds one batch, one answer holds its scores."""

from typing import Final, Literal

import pyarrow as pa

from schemas.labels import BASIC, EMOTIONS

REQUEST: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("lang", pa.string()),
        pa.field("platform", pa.string()),
        pa.field("emotes", pa.list_(pa.string())),
    ]
)

RESPONSE: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("emotions", pa.list_(pa.float32(), len(EMOTIONS)), nullable=False),
        pa.field("basic", pa.list_(pa.float32(), len(BASIC)), nullable=False),
        pa.field("sentiment", pa.float32(), nullable=False),
        pa.field("toxicity", pa.float32(), nullable=False),
        pa.field("hate", pa.float32(), nullable=False),
        pa.field("sarcasm", pa.float32(), nullable=False),
        pa.field("lang", pa.string()),
        pa.field("abstained", pa.bool_(), nullable=False),
    ]
)
"""Schema metadata of an answer holds `model` and `model_version`. Rows stand in the order of the request."""

Arm = Literal["a", "b"]
"""Query parameter `arm` of the call: `a` is the model in service, `b` the other one of an A/B test."""
SHARE_HEADER: Final = "x-pulse-share-b"
"""Header of an answer while an A/B test runs: the share of the streams (0 to 1) that arm b scores."""
