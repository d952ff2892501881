# ruff: noqa: S608  (SQL of our own constants; variables are quoted by Grafana)
"""Pipeline health: whether what arrives is scored and stored in time."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards.grafana.frame import HEALTH, frame, with_streams
from dashboards.grafana.language import Say
from dashboards.grafana.panels import PanelBuilder, figure, lines, listed, over_time, rows
from dashboards.grafana.query import PROMETHEUS, STREAMS, during, prometheus


def build(say: Say) -> Dashboard:
    """The dashboard."""
    board = frame(
        HEALTH,
        say("Pulse: pipeline health", "Pulse: здоровье конвейера"),
        say(
            "Lag, freshness, throughput, dead letters, the model, coverage, checkpoints.",
            "Отставание, свежесть, поток, отбраковка, модель, покрытие, контрольные точки.",
        ),
        say,
        span="1h",
        refresh="10s",
    )
    with_streams(board, say)
    board.with_row(Row(say("Store (Prometheus)", "Хранилище (Prometheus)")))
    for panel in _sink(say):
        board.with_panel(panel)
    board.with_row(Row(say("Jobs and model (Prometheus)", "Задачи и модель (Prometheus)")))
    for panel in _jobs(say):
        board.with_panel(panel)
    board.with_row(Row(say("What is stored (ClickHouse)", "Что сохранено (ClickHouse)")))
    for panel in _stored(say):
        board.with_panel(panel)
    return board


def _sink(say: Say) -> tuple[PanelBuilder, ...]:
    return (
        figure(
            say("Stalled", "Застряло"),
            say(
                "1 while a batch waits because the store does not take it.",
                "1, пока хранилище не берёт пачку.",
            ),
            prometheus("max(pulse_sink_stalled)", say("stalled", "застряло")),
            width=6,
            levels=((None, "green"), (1, "red")),
            source=PROMETHEUS,
        ),
        figure(
            say("Since the last insert", "С последней вставки"),
            say(
                "Of the table that was fed last; grows while nothing arrives or nothing is stored.",
                "По таблице, пополненной последней; растёт, когда ничего не приходит или не сохраняется.",
            ),
            prometheus("time() - max(pulse_sink_last_insert_timestamp_seconds)", say("seconds", "секунд")),
            width=6,
            unit="s",
            levels=((None, "green"), (10, "orange"), (60, "red")),
            source=PROMETHEUS,
        ),
        figure(
            say("Lag", "Отставание"),
            say(
                "Records appended and not yet stored, all topics.",
                "Записей добавлено, но не сохранено, все темы.",
            ),
            prometheus("sum(pulse_sink_lag_records)", say("records", "записей")),
            width=6,
            levels=((None, "green"), (10_000, "orange"), (50_000, "red")),
            source=PROMETHEUS,
        ),
        figure(
            say("Refused", "Отказано"),
            say(
                "Records an hour that the store cannot read; each has a dead letter.",
                "Записей в час, которые хранилище не может прочесть; каждая попадает в отбраковку.",
            ),
            prometheus("sum(increase(pulse_sink_refused_rows_total[1h]))", say("records", "записей")),
            width=6,
            levels=((None, "green"), (1, "orange"), (100, "red")),
            source=PROMETHEUS,
        ),
        lines(
            say("Throughput", "Поток"),
            say("Rows stored a second by topic, repeats included.", "Строк в секунду по темам, с повторами."),
            prometheus("sum by (topic) (rate(pulse_sink_rows_total[1m]))", "{{topic}}"),
            unit="rowsps",
            source=PROMETHEUS,
        ),
        lines(
            say("Lag by topic", "Отставание по темам"),
            say(
                "Records behind; above 50,000 the API says `degraded`.",
                "Записей позади; выше 50 000 API пишет degraded.",
            ),
            prometheus("sum by (topic) (pulse_sink_lag_records)", "{{topic}}"),
            source=PROMETHEUS,
            levels=((None, "green"), (50_000, "red")),
        ),
        lines(
            say("Insert time, p99", "Время вставки, p99"),
            say(
                "One batch until it is on disk, by landing table.",
                "Одна пачка до записи на диск, по таблицам.",
            ),
            prometheus(
                "histogram_quantile(0.99, sum by (le, table) (rate(pulse_sink_insert_seconds_bucket[5m])))",
                "{{table}}",
            ),
            unit="s",
            source=PROMETHEUS,
        ),
        lines(
            say("Trouble of the sink", "Сбои приёмника"),
            say(
                "Retries and refused offset commits a second.",
                "Повторы и отказы фиксации смещений в секунду.",
            ),
            prometheus("sum(rate(pulse_sink_retries_total[5m]))", say("retries", "повторы")),
            prometheus(
                "sum(rate(pulse_sink_commit_failures_total[5m]))", say("commits refused", "отказы"), "B"
            ),
            unit="ops",
            source=PROMETHEUS,
        ),
    )


def _jobs(say: Say) -> tuple[PanelBuilder, ...]:
    return (
        lines(
            say("Checkpoint age", "Возраст контрольной точки"),
            say(
                "Since each job last completed a checkpoint, up to an hour, to within a minute"
                " (Flink's Prometheus reporter).",
                "С последней завершённой контрольной точки задачи, до часа, с точностью до минуты"
                " (отчёт Flink).",
            ),
            prometheus(
                "time() - max by (job_name) (max_over_time(timestamp("
                "changes(flink_jobmanager_job_numberOfCompletedCheckpoints[1m]) > 0)[1h:15s]))",
                "{{job_name}}",
            ),
            unit="s",
            width=8,
            source=PROMETHEUS,
            levels=((None, "green"), (60, "red")),
        ),
        lines(
            say("Source lag of the jobs", "Отставание задач"),
            say(
                "Largest number of records that a job's Kafka source is behind.",
                "Наибольшее отставание источника Kafka у задачи, в записях.",
            ),
            prometheus(
                "max by (job_name)"
                " (flink_taskmanager_job_task_operator_KafkaSourceReader_KafkaConsumer_records_lag_max)",
                "{{job_name}}",
            ),
            width=8,
            source=PROMETHEUS,
        ),
        lines(
            say("Model latency", "Задержка модели"),
            say(
                "Time of one request inside the scorer, p50 and p99, its wait for the model included.",
                "Время запроса внутри оценщика, p50 и p99, вместе с ожиданием модели.",
            ),
            prometheus(
                "histogram_quantile(0.5, sum by (le) (rate(pulse_scorer_request_seconds_bucket[5m])))", "p50"
            ),
            prometheus(
                "histogram_quantile(0.99, sum by (le) (rate(pulse_scorer_request_seconds_bucket[5m])))",
                "p99",
                "B",
            ),
            unit="s",
            width=8,
            source=PROMETHEUS,
        ),
    )


def _stored(say: Say) -> tuple[PanelBuilder, ...]:
    windows = f"windows WHERE {STREAMS} AND size_ms = 10000 AND {during('start_ms')}"
    return (
        lines(
            say("Coverage", "Покрытие"),
            say(
                "Share of messages that the model scored; below 0.98 moods rest on a sample.",
                "Доля сообщений, оценённых моделью; ниже 0,98 настроение построено по части строк.",
            ),
            over_time(
                "SELECT $__timeInterval(window_start) AS time, sum(scored) / nullIf(sum(messages), 0) AS"
                " coverage"
                f" FROM {windows} GROUP BY time ORDER BY time"
            ),
            unit="percentunit",
            width=8,
            limits=(0, 1),
            names={"coverage": say("scored", "оценено")},
            levels=((None, "red"), (0.98, "green")),
        ),
        lines(
            say("Received to scored", "От приёма до оценки"),
            say("Longest time of a line in each step.", "Наибольшее время строки в каждом шаге."),
            over_time(
                f"SELECT $__timeInterval(window_start) AS time, max(max_lag_ms) AS lag FROM {windows}"
                " GROUP BY time ORDER BY time"
            ),
            unit="ms",
            width=8,
            names={"lag": say("longest", "наибольшее")},
        ),
        lines(
            say("Dead letters", "Отбраковка"),
            say(
                "Records that could not be read, by error.",
                "Записи, которые не удалось прочесть, по ошибкам.",
            ),
            over_time(
                "SELECT $__timeInterval(seen_at) AS time, error_class, count() AS letters FROM dead_letters"
                " WHERE workspace = ${workspace:sqlstring} AND $__timeFilter(seen_at)"
                " GROUP BY time, error_class ORDER BY time"
            ),
            width=8,
            series="error_class",
        ),
        rows(
            say("Freshness of the running streams", "Свежесть идущих эфиров"),
            say(
                "Since the last message or heartbeat, the stalest first. Silent for 10 s or more: we may"
                " be blind.",
                "С последнего сообщения или пульса, сначала самые старые. Тишина от 10 с: возможно, мы"
                " слепы.",
            ),
            listed(
                "SELECT stream_id AS stream, toString(streams.channel) AS channel,"
                " toDateTime64(streams.last_seen_at, 3) AS last_seen_at,"
                " toDateTime64(streams.last_message_at, 3) AS last_message_at,"
                " greatest(0, dateDiff('second', last_seen_at, least(now(), $__toTime))) AS silent"
                f" FROM streams WHERE {STREAMS} AND last_seen_at >= $__fromTime AND first_at <= $__toTime"
                " ORDER BY ended, silent DESC LIMIT 200"
            ),
            names={
                "stream": say("Stream", "Эфир"),
                "channel": say("Channel", "Канал"),
                "last_seen_at": say("Last heard", "Последний сигнал"),
                "last_message_at": say("Last message", "Последнее сообщение"),
                "silent": say("Silent for", "Тишина"),
            },
            units={"silent": "s"},
            levels={"silent": ((None, "green"), (10, "orange"), (60, "red"))},
        ),
    )
