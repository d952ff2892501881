"""From a read record and the model's answer to the scored record and the integers that windows add up."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.codecs import InvalidRecordError, encode
from schemas.labels import BASIC, EMOTIONS, SCALE
from schemas.records import ChatMessage, DeadLetter, ScoredMessage
from schemas.scoring import REQUEST

SCALARS: Final = ("sentiment", "toxicity", "hate", "sarcasm")
SCORE_COLUMNS: Final = (
    *(f"emotion_{label}" for label in EMOTIONS),
    *(f"basic_{label}" for label in BASIC),
    *SCALARS,
)
"""Names of the integer scores of one line, in the column order of `score_integers`."""

_EMOTIONS_END: Final = len(EMOTIONS)
_BASIC_END: Final = len(EMOTIONS) + len(BASIC)
_MESSAGE_FIELDS: Final = tuple(field.name for field in msgspec.structs.fields(ChatMessage))


def score_request(messages: Sequence[ChatMessage]) -> pa.RecordBatch:
    """The model call's batch (`schemas.scoring.REQUEST`) for these lines, in their order."""
    return pa.RecordBatch.from_arrays(
        [
            pa.array([message.message_id for message in messages], pa.string()),
            pa.array([message.text for message in messages], pa.string()),
            pa.array([message.lang for message in messages], pa.string()),
            pa.array([message.channel.split(":", 1)[0] for message in messages], pa.string()),
            pa.array(
                [[emote.name for emote in message.emotes] for message in messages],
                REQUEST.field("emotes").type,
            ),
        ],
        schema=REQUEST,
    )


def score_integers(answer: pa.RecordBatch) -> npt.NDArray[np.int32]:
    """All scores as round(score * SCALE), shape (rows, len(SCORE_COLUMNS)), in the order of SCORE_COLUMNS."""
    rows = answer.num_rows
    scores = np.empty((rows, len(SCORE_COLUMNS)), np.float32)
    scores[:, :_EMOTIONS_END] = _matrix(answer.column("emotions"), rows)
    scores[:, _EMOTIONS_END:_BASIC_END] = _matrix(answer.column("basic"), rows)
    for offset, name in enumerate(SCALARS):
        scores[:, _BASIC_END + offset] = answer.column(name).to_numpy(zero_copy_only=False)
    integers: npt.NDArray[np.int32] = np.rint(scores.astype(np.float64) * SCALE).astype(np.int32)
    return integers


def scored_message(
    message: ChatMessage,
    integers: Sequence[int],
    *,
    lang: str | None,
    abstained: bool,
    model: str,
    model_version: str,
    scored_at: int,
    late_ms: int,
    state_ttl_ms: int,
) -> ScoredMessage:
    """The record of chat.scored.v1; `integers` in the order of SCORE_COLUMNS.

    A line that lies more than `state_ttl_ms` behind its stream's clock is stored, but counted in no window:
    the window's state may be gone by then.
    """
    values = [integer / SCALE for integer in integers]
    fields = {name: getattr(message, name) for name in _MESSAGE_FIELDS}
    fields["lang"] = lang
    return ScoredMessage(
        **fields,
        emotions=dict(zip(EMOTIONS, values, strict=False)),
        basic=dict(zip(BASIC, values[_EMOTIONS_END:], strict=False)),
        sentiment=values[_BASIC_END],
        toxicity=values[_BASIC_END + 1],
        hate=values[_BASIC_END + 2],
        sarcasm=values[_BASIC_END + 3],
        model=model,
        model_version=model_version,
        scored_at=scored_at,
        abstained=abstained,
        late_ms=late_ms,
        counted=late_ms <= state_ttl_ms,
    )


def scored_payloads(
    messages: Sequence[ChatMessage],
    integers: npt.NDArray[np.int32],
    *,
    langs: Sequence[str | None],
    abstained: Sequence[bool],
    late_ms: Sequence[int],
    model: str,
    model_version: str,
    scored_at: int,
    state_ttl_ms: int,
) -> list[bytes]:
    """The encoded records of a batch, one a line: what `encode(scored_message(…))` says, ten times sooner.

    Scores are written with four decimals ("0.1200"); keys stand in the order of the struct.

    Raises:
        ValueError: if a score lies outside −1..1, or a score other than sentiment below 0.
    """
    scores, width = _score_text(integers), len(_TEMPLATE)
    source = _TAIL % (msgspec.json.encode(model), msgspec.json.encode(model_version), scored_at)
    rows = zip(messages, langs, abstained, late_ms, strict=True)
    return [
        encode(msgspec.structs.replace(message, lang=lang))[:-1]
        + scores[row * width : (row + 1) * width]
        + source
        + (b"true" if quiet else b"false")
        + (b',"late_ms":%d,"counted":%b}' % (late, b"true" if late <= state_ttl_ms else b"false"))
        for row, (message, lang, quiet, late) in enumerate(rows)
    ]


def dead_letter(
    raw: bytes | None,
    error: InvalidRecordError,
    *,
    stage: str,
    topic: str,
    partition: int,
    offset: int,
    seen_at: int,
) -> bytes:
    """The encoded dead letter of a record that could not be read; its id is the record's position."""
    return encode(
        DeadLetter(
            dlq_id=f"{topic}/{partition}/{offset}",
            stage=stage,
            source=topic,
            partition=partition,
            position=offset,
            error_class=error.error_class,
            error=str(error),
            raw=raw or b"",
            seen_at=seen_at,
        )
    )


def model_identity(metadata: Mapping[bytes, bytes] | None) -> tuple[str, str]:
    """`model` and `model_version` of an answer's schema metadata.

    Raises:
        ValueError: if the answer does not say which model made it.
    """
    if not metadata or b"model" not in metadata or b"model_version" not in metadata:
        raise ValueError("the scorer's answer does not name its model and version")
    return metadata[b"model"].decode(), metadata[b"model_version"].decode()


def _matrix(column: pa.FixedSizeListArray, rows: int) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float32] = column.flatten().to_numpy(zero_copy_only=False).reshape(rows, -1)
    return values


def _score_text(integers: npt.NDArray[np.int32]) -> bytes:
    """The scores of all rows as JSON, each row as long as _TEMPLATE: digits written over the template's."""
    magnitudes = np.abs(integers)
    if magnitudes.max(initial=0) > SCALE or np.delete(integers, _BASIC_END, axis=1).min(initial=0) < 0:
        raise ValueError("a score of the model lies outside its range")
    text = np.empty((len(integers), len(_TEMPLATE)), np.uint8)
    text[:] = np.frombuffer(_TEMPLATE, np.uint8)
    for place, unit in zip((0, 2, 3, 4, 5), (10_000, 1_000, 100, 10, 1), strict=True):
        text[:, _FIRST_DIGITS + place] = ord("0") + magnitudes // unit % 10
    text[integers[:, _BASIC_END] < 0, _FIRST_DIGITS[_BASIC_END] - 1] = ord("-")
    return text.tobytes()


def _template() -> bytes:
    """The scores of a record with zeros for values; sentiment has room for a sign."""
    assert SCALE == 10_000, "four decimals"
    zero = "0.0000"
    emotions = ",".join(f'"{label}":{zero}' for label in EMOTIONS)
    basic = ",".join(f'"{label}":{zero}' for label in BASIC)
    scalars = ",".join(f'"{name}":{" " if name == "sentiment" else ""}{zero}' for name in SCALARS)
    return f',"emotions":{{{emotions}}},"basic":{{{basic}}},{scalars}'.encode()


_TEMPLATE: Final = _template()
_FIRST_DIGITS: Final = np.array([match.start() for match in re.finditer(b"0[.]0000", _TEMPLATE)])
_TAIL: Final = b',"model":%b,"model_version":%b,"scored_at":%d,"abstained":'
