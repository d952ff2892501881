"""Job `score`: read, keep first, score, fork to the scored topic, the dead letters and the windows."""

from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import EnvironmentSettings, Schema, StreamTableEnvironment, Table
from pyflink.util.java_utils import load_java_class

from pipelines.flink.settings import JobSettings
from pipelines.flink.statements import statement
from pipelines.flink.udf import read_function, score_function
from pipelines.flink.windows import window_query, window_rows_query

NAME = "score"


def build(env: StreamExecutionEnvironment, settings: JobSettings) -> None:
    """Attach the whole job to `env`; the caller executes it.

    Two table environments share one execution environment: mini-batch, which the windows want, would delay
    scoring and turn the keep-first of the message ids into updates.
    """
    ttl_ms = settings.pulse_state_ttl_minutes * 60_000
    tables = _tables(env, {"table.exec.state.ttl": f"{ttl_ms} ms"})
    scored = _scored_stream(tables, settings, ttl_ms)

    statements = tables.create_statement_set()
    for table, topic, dead in (("scored_sink", "chat.scored.v1", False), ("dlq_sink", "chat.dlq.v1", True)):
        tables.execute_sql(
            statement("kafka_sink", table=table, topic=topic, kafka_bootstrap=settings.kafka_bootstrap)
        )
        statements.add_insert_sql(
            f"INSERT INTO {table} SELECT record_key, payload FROM scored WHERE dead = {dead}"  # noqa: S608
        )
    statements.attach_as_datastream()

    _attach_windows(env, scored, settings, ttl_ms)


def _scored_stream(tables: StreamTableEnvironment, settings: JobSettings, ttl_ms: int) -> DataStream:
    tables.create_temporary_function("read_message", read_function())
    tables.create_temporary_function(
        "score_message", score_function(settings.scorer_url, settings.pulse_score_timeout_s, ttl_ms)
    )
    tables.execute_sql(statement("score_source", kafka_bootstrap=settings.kafka_bootstrap))
    tables.create_temporary_view("read_messages", tables.sql_query(statement("score_read")))
    tables.create_temporary_view("messages_once", tables.sql_query(statement("score_once")))
    tables.create_temporary_view("messages_clocked", tables.sql_query(statement("score_clock")))
    # To a stream and back before the fork: a view with a Python call that feeds two sinks may run it twice.
    stream = internal_stream(tables, tables.sql_query(statement("score_call")))
    tables.create_temporary_view("scored", tables.from_data_stream(stream))
    return stream


def _attach_windows(
    env: StreamExecutionEnvironment, scored: DataStream, settings: JobSettings, ttl_ms: int
) -> None:
    first_lines = _first_lines(env, scored, settings)
    tables = _tables(
        env,
        {
            "table.exec.state.ttl": f"{2 * ttl_ms} ms",
            "table.exec.mini-batch.enabled": "true",
            "table.exec.mini-batch.allow-latency": f"{settings.pulse_mini_batch_ms} ms",
            "table.exec.mini-batch.size": "5000",
            "table.optimizer.agg-phase-strategy": "TWO_PHASE",
        },
    )
    schema = _columns(("workspace", "channel", "stream_id", "author"), "STRING")
    schema.column("sent_at", "BIGINT").column("lag_ms", "BIGINT")
    for name in ("dead", "counted", "abstained"):
        schema.column(name, "BOOLEAN")
    schema.column("scores", "ARRAY<INT>")
    tables.create_temporary_view("scored_lines", tables.from_data_stream(scored, schema.build()))
    tables.create_temporary_view("first_lines", tables.from_data_stream(first_lines))
    tables.create_temporary_view("window_rows", tables.sql_query(window_rows_query()))
    tables.execute_sql(statement("windows_sink", kafka_bootstrap=settings.kafka_bootstrap))
    statements = tables.create_statement_set()
    statements.add_insert_sql(f"INSERT INTO windows_sink {window_query(ttl_ms)}")
    statements.attach_as_datastream()


def _first_lines(env: StreamExecutionEnvironment, scored: DataStream, settings: JobSettings) -> DataStream:
    """Each author's first line in a stream; a third environment, since authors are remembered for longer."""
    tables = _tables(env, {"table.exec.state.ttl": f"{settings.pulse_author_ttl_hours} h"})
    schema = _columns(("workspace", "channel", "stream_id", "author"), "STRING").column("sent_at", "BIGINT")
    schema.column("dead", "BOOLEAN").column("counted", "BOOLEAN").column_by_expression(
        "proctime", "PROCTIME()"
    )
    tables.create_temporary_view("scored_lines", tables.from_data_stream(scored, schema.build()))
    tables.create_temporary_view(
        "counted_lines", tables.sql_query("SELECT * FROM scored_lines WHERE counted AND NOT dead")
    )
    return internal_stream(tables, tables.sql_query(statement("windows_first_lines")))


def internal_stream(tables: StreamTableEnvironment, table: Table) -> DataStream:
    """The rows of a table as the SQL runtime holds them.

    `to_data_stream` would box each field of each row into external types, and reading the stream back into a
    table would undo it.
    """
    rows = table._j_table.getResolvedSchema().toPhysicalRowDataType()
    internal = rows.bridgedTo(load_java_class("org.apache.flink.table.data.RowData"))
    return DataStream(tables._j_tenv.toDataStream(table._j_table, internal))


def _columns(names: tuple[str, ...], type_: str) -> Schema.Builder:
    builder = Schema.new_builder()
    for name in names:
        builder.column(name, type_)
    return builder


def _tables(env: StreamExecutionEnvironment, options: dict[str, str]) -> StreamTableEnvironment:
    configuration = Configuration()
    for key, value in options.items():
        configuration.set_string(key, value)
    settings = (
        EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    )
    return StreamTableEnvironment.create(env, settings)
