"""Check batches against the contract of the model call, and bring loosely typed ones to it."""

import pyarrow as pa

from schemas.scoring import REQUEST, RESPONSE


class InvalidBatchError(Exception):
    """A batch breaks the contract of the model call; the message names the column."""


def conform_request(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with exactly the columns of REQUEST: optional ones may lack, others are left out.

    Raises:
        InvalidBatchError: If `id` or `text` lacks or holds nulls, or a column cannot be cast to its type.
    """
    as_asked = batch.schema.equals(REQUEST)
    columns = batch.columns if as_asked else [_column(batch, field) for field in REQUEST]
    for field, column in zip(REQUEST, columns, strict=True):
        if not field.nullable and column.null_count:
            raise InvalidBatchError(f"column {field.name} holds {column.null_count} nulls; it must hold none")
    return pa.RecordBatch.from_arrays(columns, schema=REQUEST)


def check_response(batch: pa.RecordBatch, rows: int) -> pa.RecordBatch:
    """The answer itself, if it has the schema and the number of rows that were asked for.

    Raises:
        InvalidBatchError: If it has not.
    """
    if not batch.schema.equals(RESPONSE):
        raise InvalidBatchError(f"answer has schema {batch.schema.names}, not that of RESPONSE")
    if batch.num_rows != rows:
        raise InvalidBatchError(f"answer has {batch.num_rows} rows, {rows} were asked for")
    return batch


def _column(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    index = batch.schema.get_field_index(field.name)
    if index < 0:
        if not field.nullable:
            raise InvalidBatchError(f"column {field.name} is missing (or stands there twice)")
        return pa.nulls(batch.num_rows, field.type)
    try:
        return batch.column(index).cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidBatchError(f"column {field.name} is not {field.type}: {error}") from error
