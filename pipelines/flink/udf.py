"""The two vectorised Python calls of the score job: read a record, score a batch of read records."""

import gc
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyflink.table import DataTypes, FunctionContext
from pyflink.table.udf import ScalarFunction, udf

from pipelines.core.arms import in_arm_b
from pipelines.core.scored import (
    SCORE_COLUMNS,
    dead_letter,
    model_identity,
    score_integers,
    score_request,
    scored_payloads,
)
from schemas.codecs import InvalidRecordError, decode_message, record_key
from schemas.records import ChatMessage
from schemas.scoring import Arm
from serving.scorer.client import ScorerClient, ScorerRefusedError

TOPIC = "chat.messages.v1"
INVALID = "invalid"
"""Kind of a record that could not be read; it travels with the others to one fork after scoring."""

READ_TYPE = DataTypes.ROW(
    [
        DataTypes.FIELD("workspace", DataTypes.STRING()),
        DataTypes.FIELD("stream_id", DataTypes.STRING()),
        DataTypes.FIELD("message_id", DataTypes.STRING()),
        DataTypes.FIELD("kind", DataTypes.STRING()),
        DataTypes.FIELD("sent_at", DataTypes.BIGINT()),
    ]
)

_SCORED_FIELDS: list[tuple[str, Any]] = [
    ("record_key", DataTypes.BYTES()),
    ("payload", DataTypes.BYTES()),
    ("dead", DataTypes.BOOLEAN()),
    ("workspace", DataTypes.STRING()),
    ("channel", DataTypes.STRING()),
    ("stream_id", DataTypes.STRING()),
    ("author", DataTypes.STRING()),
    ("sent_at", DataTypes.BIGINT()),
    ("lag_ms", DataTypes.BIGINT()),
    ("counted", DataTypes.BOOLEAN()),
    ("abstained", DataTypes.BOOLEAN()),
    # one column instead of one a score: each costs its share of a batch on both sides of the call
    ("scores", DataTypes.ARRAY(DataTypes.INT())),
]
SCORED_TYPE = DataTypes.ROW([DataTypes.FIELD(name, type_) for name, type_ in _SCORED_FIELDS])
_HEAD = [name for name, _ in _SCORED_FIELDS[:-1]]
"""All columns but the scores: those in the order of SCORE_COLUMNS, zeros where the line abstained."""


def read_batch(
    raw: Sequence[bytes | None], partition: Sequence[int], offset: Sequence[int], appended_ms: Sequence[int]
) -> pd.DataFrame:
    """Check each record; columns of READ_TYPE.

    A bad record gets its position as id, so that it can neither hide nor be hidden by a good one.
    """
    rows = []
    for value, part, position, appended in zip(raw, partition, offset, appended_ms, strict=True):
        try:
            message = decode_message(value, appended_at=int(appended))
        except InvalidRecordError:
            rows.append(("", "", f"{TOPIC}/{part}/{position}", INVALID, 0))
        else:
            rows.append(
                (message.workspace, message.stream_id, message.message_id, message.kind, message.sent_at)
            )
    return pd.DataFrame(rows, columns=READ_TYPE.field_names())


class ReadRecords(ScalarFunction):
    """Adapter of `read_batch`."""

    def eval(
        self, raw: pd.Series, partition: pd.Series, offset: pd.Series, appended: pd.Series
    ) -> pd.DataFrame:
        """One output row per record, in order."""
        return read_batch(raw.tolist(), partition.tolist(), offset.tolist(), appended.tolist())


class ScoreRecords(ScalarFunction):
    """One model call per Arrow batch, two while an A/B test by stream runs.

    A model that is down makes this call wait (bounded retries of the client), then fails the task, which
    restarts from its checkpoint: scoring stalls, nothing is lost.
    """

    def __init__(self, scorer_url: str, timeout_s: float, state_ttl_ms: int) -> None:
        self._scorer_url = scorer_url
        self._timeout_s = timeout_s
        self._state_ttl_ms = state_ttl_ms
        self._client: ScorerClient | None = None

    def open(self, function_context: FunctionContext) -> None:
        """Open one keep-alive client per worker."""
        # A batch makes thousands of tuples without a cycle; the default would look for cycles at each 700.
        gc.set_threshold(100_000, 20, 20)
        self._client = ScorerClient(self._scorer_url, timeout_s=self._timeout_s)

    def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            self._client.close()

    def eval(
        self, raw: pd.Series, partition: pd.Series, offset: pd.Series, appended: pd.Series, late: pd.Series
    ) -> pd.DataFrame:
        """Columns of SCORED_TYPE, one row per record, in order."""
        records = list(zip(raw.tolist(), partition.tolist(), offset.tolist(), appended.tolist(), strict=True))
        batch = _Batch(records, late.tolist(), self._state_ttl_ms)
        for arm, places in self._arms(batch):
            self._score(batch, places, arm)
        return batch.frame()

    def _arms(self, batch: "_Batch") -> list[tuple[Arm, list[int]]]:
        """The readable records by the arm of the A/B test that scores them; all of them in a without one."""
        assert self._client is not None
        places = batch.readable
        if self._client.share_b is None and places:
            self._client.score(score_request([]))  # only the scorer knows: else the first batch goes to a
        if not self._client.share_b:
            return [("a", places)]
        streams = ((batch.messages[place].workspace, batch.messages[place].stream_id) for place in places)
        in_b = in_arm_b(streams, self._client.share_b)
        return [
            ("a", [place for place, b in zip(places, in_b, strict=True) if not b]),
            ("b", [place for place, b in zip(places, in_b, strict=True) if b]),
        ]

    def _score(self, batch: "_Batch", places: list[int], arm: Arm) -> None:
        """Score these records; halve a batch that the model refuses until what it refuses stands alone."""
        if not places:
            return
        assert self._client is not None
        try:
            answer = self._client.score(score_request([batch.messages[place] for place in places]), arm)
        except ScorerRefusedError as error:
            if len(places) == 1:
                batch.refuse(places[0], InvalidRecordError("refused_by_model", str(error)))
                return
            middle = len(places) // 2
            self._score(batch, places[:middle], arm)
            self._score(batch, places[middle:], arm)
        else:
            batch.take(places, answer)


class _Batch:
    """One Arrow batch on its way from records to columns of SCORED_TYPE."""

    def __init__(
        self, records: list[tuple[bytes | None, int, int, int]], late: list[int], state_ttl_ms: int
    ) -> None:
        self._records = records
        self._late = late
        self._state_ttl_ms = state_ttl_ms
        self._heads: list[tuple[Any, ...] | None] = [None] * len(records)
        self._integers = np.zeros((len(records), len(SCORE_COLUMNS)), np.int32)
        self.messages: dict[int, ChatMessage] = {}
        for place, (value, _, _, appended_ms) in enumerate(records):
            try:
                self.messages[place] = decode_message(value, appended_at=int(appended_ms))
            except InvalidRecordError as error:
                self.refuse(place, error)

    @property
    def readable(self) -> list[int]:
        """Places of the records that hold a chat line."""
        return list(self.messages)

    def refuse(self, place: int, error: InvalidRecordError) -> None:
        """Make a dead letter of one record."""
        value, partition, offset, _ = self._records[place]
        letter = dead_letter(
            value,
            error,
            stage="score",
            topic=TOPIC,
            partition=partition,
            offset=offset,
            seen_at=time.time_ns() // 1_000_000,
        )
        self._heads[place] = (b"", letter, True, "", "", "", "", 0, 0, False, True)

    def take(self, places: list[int], answer: pa.RecordBatch) -> None:
        """Fill in the model's answer for the records at `places`, in their order."""
        scored_at = time.time_ns() // 1_000_000
        model, version = model_identity(answer.schema.metadata)
        scores = score_integers(answer)
        langs = answer.column("lang").to_pylist()
        abstentions = answer.column("abstained").to_pylist()
        self._integers[places] = np.where(np.array(abstentions, dtype=bool)[:, None], 0, scores)
        messages = [self.messages[place] for place in places]
        late_ms = [max(0, int(self._late[place])) for place in places]
        payloads = scored_payloads(
            messages,
            scores,
            langs=langs,
            abstained=abstentions,
            late_ms=late_ms,
            model=model,
            model_version=version,
            scored_at=scored_at,
            state_ttl_ms=self._state_ttl_ms,
        )
        rows = zip(places, messages, payloads, late_ms, abstentions, strict=True)
        for place, message, payload, late, abstained in rows:
            self._heads[place] = (
                record_key(message.workspace, message.channel),
                payload,
                False,
                message.workspace,
                message.channel,
                message.stream_id,
                message.author,
                message.sent_at,
                max(0, scored_at - message.received_at),
                late <= self._state_ttl_ms,
                abstained,
            )

    def frame(self) -> pd.DataFrame:
        """Columns of SCORED_TYPE, one row per record, in order."""
        frame = pd.DataFrame(self._heads, columns=_HEAD)
        frame["scores"] = pd.Series(list(self._integers), dtype=object)
        return frame


def read_function() -> Any:
    """The registered form of `ReadRecords`."""
    return udf(ReadRecords(), result_type=READ_TYPE, func_type="pandas")


def score_function(scorer_url: str, timeout_s: float, state_ttl_ms: int) -> Any:
    """The registered form of `ScoreRecords`."""
    return udf(ScoreRecords(scorer_url, timeout_s, state_ttl_ms), result_type=SCORED_TYPE, func_type="pandas")
