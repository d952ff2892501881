"""Job `detect`: raw lines, events and windows in, alerts and activity out; needs no model."""

from pyflink.common import Configuration, Row, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import EnvironmentSettings, StreamTableEnvironment

from pipelines.core.detection.channel import WINDOW_SIZE_MS
from pipelines.flink.detect_function import DetectFunction
from pipelines.flink.settings import JobSettings
from pipelines.flink.statements import statement
from pipelines.flink.wave_function import WAVES, WaveFunction, read_key

NAME = "detect"
SOURCES = {
    "messages_text": "chat.messages.v1",
    "events_text": "chat.events.v1",
    "windows_text": "pulse.windows.v1",
}
SINKS = {
    "alerts_sink": ("found_alerts", "pulse.alerts.v1"),
    "activity_sink": ("found", "pulse.activity.v1"),
}
FOUND_TYPE = Types.ROW_NAMED(
    ["topic", "record_key", "payload"],
    [Types.STRING(), Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.PRIMITIVE_ARRAY(Types.BYTE())],
)


def build(env: StreamExecutionEnvironment, settings: JobSettings) -> None:
    """Attach the whole job to `env`; the caller executes it."""
    tables = StreamTableEnvironment.create(
        env,
        EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(Configuration()).build(),
    )
    for table, topic in SOURCES.items():
        tables.execute_sql(
            statement("detect_source", table=table, topic=topic, kafka_bootstrap=settings.kafka_bootstrap)
        )
    tables.create_temporary_view(
        "tagged_records",
        tables.sql_query(
            statement("detect_tag", buckets=settings.pulse_detect_buckets, window_ms=WINDOW_SIZE_MS)
        ),
    )
    gathered = tables.sql_query(statement("detect_gather", tick_s=settings.pulse_detect_tick_ms / 1000))
    found = (
        tables.to_data_stream(gathered)
        .key_by(_bucket, key_type=Types.INT())
        .process(DetectFunction(), output_type=FOUND_TYPE)
        .name("detect")
        .uid("detect")
    )
    tables.create_temporary_view("found", tables.from_data_stream(found))
    reports = tables.sql_query(f"SELECT record_key, payload FROM found WHERE topic = '{WAVES}'")  # noqa: S608
    waves = (
        tables.to_data_stream(reports)
        .key_by(read_key, key_type=Types.STRING())
        .process(WaveFunction(), output_type=FOUND_TYPE)
        .name("wave")
        .uid("wave")
    )
    tables.create_temporary_view("waves", tables.from_data_stream(waves))
    statements = tables.create_statement_set()
    tables.create_temporary_view(
        "found_alerts", tables.sql_query("SELECT * FROM found UNION ALL SELECT * FROM waves")
    )
    for table, (rows, topic) in SINKS.items():
        tables.execute_sql(
            statement("kafka_sink", table=table, topic=topic, kafka_bootstrap=settings.kafka_bootstrap)
        )
        statements.add_insert_sql(
            f"INSERT INTO {table} SELECT record_key, payload FROM {rows} WHERE topic = '{topic}'"  # noqa: S608
        )
    statements.attach_as_datastream()


def _bucket(row: Row) -> int:
    bucket: int = row[0]
    return bucket
