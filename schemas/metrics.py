"""The catalogue: every metric that our processes export, named, typed and explained in this one file.

A test holds the processes' /metrics against it. Names are `pulse_<noun>_<unit>[_total]`; labels have few
values: no channel, stream or author ever is one. Flink, Ray, the Kafka broker's exporter and Prometheus'
Python client name their own (infra/prometheus/README.md).
"""

from typing import Final, Literal, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

Process = Literal["store", "notifier", "listener", "scorer", "opinion"]


class Metric(NamedTuple):
    """One metric.

    Attributes:
        name: as Prometheus stores it (a histogram adds _bucket, _sum and _count).
        kind: counter, gauge or histogram.
        exported_by: the process whose /metrics has it.
        help: what it counts or tells.
        labels: label names; `help` says what their values are.
        buckets: upper bounds of a histogram.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    exported_by: Process
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    def counter(self, registry: CollectorRegistry) -> Counter:
        """Register it as a counter."""
        assert self.kind == "counter"
        return Counter(self.name, self.help, self.labels, registry=registry)

    def gauge(self, registry: CollectorRegistry) -> Gauge:
        """Register it as a gauge."""
        assert self.kind == "gauge"
        return Gauge(self.name, self.help, self.labels, registry=registry)

    def histogram(self, registry: CollectorRegistry) -> Histogram:
        """Register it as a histogram."""
        assert self.kind == "histogram"
        return Histogram(self.name, self.help, self.labels, registry=registry, buckets=self.buckets)


# The sink: Kafka to ClickHouse.
SINK_ROWS: Final = Metric(
    "pulse_sink_rows_total", "counter", "store", "Rows stored (repeats included), by topic.", ("topic",)
)
SINK_INSERTS: Final = Metric(
    "pulse_sink_insert_seconds",
    "histogram",
    "store",
    "Time of one insert of a batch, until it is on disk, by landing table.",
    ("table",),
    (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
)
SINK_REFUSED: Final = Metric(
    "pulse_sink_refused_rows_total",
    "counter",
    "store",
    "Records kept out of the store because they cannot be read; each has a dead letter.",
    ("topic", "error_class"),
)
SINK_RETRIES: Final = Metric(
    "pulse_sink_retries_total",
    "counter",
    "store",
    "Attempts that failed because the store or the dead-letter topic did not answer or refused.",
    ("table",),
)
SINK_STALLED: Final = Metric(
    "pulse_sink_stalled", "gauge", "store", "1 while a batch waits for the store to take it, else 0."
)
SINK_COMMIT_FAILURES: Final = Metric(
    "pulse_sink_commit_failures_total",
    "counter",
    "store",
    "Offset commits that Kafka refused; the rows are stored and will be read and merged again.",
)
SINK_BUFFERED: Final = Metric(
    "pulse_sink_buffered_rows",
    "gauge",
    "store",
    "Rows read and not yet stored, by landing table.",
    ("table",),
)
SINK_LAG: Final = Metric(
    "pulse_sink_lag_records",
    "gauge",
    "store",
    "Records appended to the topic and not yet stored and committed.",
    ("topic",),
)
SINK_LAST_INSERT: Final = Metric(
    "pulse_sink_last_insert_timestamp_seconds",
    "gauge",
    "store",
    "When a batch for the table last reached the disk (Unix time).",
    ("table",),
)

REMOVED_ROWS: Final = Metric(
    "pulse_removed_rows_total",
    "counter",
    "store",
    "Rows deleted because their platform took the line back (a line counts once per stored copy).",
)
REMOVAL_FAILURES: Final = Metric(
    "pulse_removal_failures_total",
    "counter",
    "store",
    "Passes over removed lines that the store did not carry out; the next one makes up for it.",
)
REMOVAL_LAST_PASS: Final = Metric(
    "pulse_removal_last_pass_timestamp_seconds",
    "gauge",
    "store",
    "When removed lines were last looked for and deleted (Unix time); due every 10 s.",
)

# What the stored records say; the base of the coverage objective.
LINES_SEEN: Final = Metric(
    "pulse_lines_seen_total", "counter", "store", "Chat lines that `detect` saw, model or not (activity)."
)
LINES_PROCESSED: Final = Metric(
    "pulse_lines_processed_total",
    "counter",
    "store",
    "Chat lines in stored 10 s windows, by outcome: scored, or abstained (unsupported language, empty text).",
    ("outcome",),
)
ALERTS_OPENED: Final = Metric(
    "pulse_alerts_opened_total", "counter", "store", "Alert episodes that opened, by kind.", ("kind",)
)
STREAMS_OPEN: Final = Metric(
    "pulse_streams_open",
    "gauge",
    "store",
    "Streams that did not end and were heard within the last six hours, by platform.",
    ("platform",),
)
STREAMS_SILENT: Final = Metric(
    "pulse_streams_silent",
    "gauge",
    "store",
    "Those of pulse_streams_open of which nothing, not even a heartbeat, has come for 30 s.",
    ("platform",),
)

# A process that listens to channels (`pulse connect run`).
LISTENER_CHANNELS: Final = Metric(
    "pulse_listener_channels",
    "gauge",
    "listener",
    "Channels that this process listens to, by state: connecting, live, degraded, offline, blocked.",
    ("platform", "state"),
)
LISTENER_RECORDS: Final = Metric(
    "pulse_listener_records_total",
    "counter",
    "listener",
    "Records handed to Kafka's client, by kind: message, heartbeat, event, dead_letter.",
    ("platform", "kind"),
)
LISTENER_GAPS: Final = Metric(
    "pulse_listener_gaps_total",
    "counter",
    "listener",
    "Spans in which a channel was not heard, by cause.",
    ("platform", "cause"),
)
LISTENER_MISSED: Final = Metric(
    "pulse_listener_missed_seconds_total",
    "counter",
    "listener",
    "Length of these spans, over all channels.",
    ("platform",),
)
LISTENER_RECOVERED: Final = Metric(
    "pulse_listener_recovered_lines_total",
    "counter",
    "listener",
    "Lines of these spans that the platform handed over afterwards.",
    ("platform",),
)

LISTENER_SKEW: Final = Metric(
    "pulse_listener_clock_skew_seconds",
    "gauge",
    "listener",
    "Our clock's lead over the platform's is at most this: the least delay in five minutes; 0: it is behind.",
    ("platform",),
)

# The scorer: one replica's own requests.
SCORER_REQUESTS: Final = Metric(
    "pulse_scorer_requests_total",
    "counter",
    "scorer",
    "Requests by outcome: scored, refused (the caller's fault), failed (the model's).",
    ("outcome",),
)
SCORER_LINES: Final = Metric(
    "pulse_scorer_lines_total",
    "counter",
    "scorer",
    "Lines scored, abstained ones included, by arm: a (the model in service), b (the other one of an A/B "
    "test).",
    ("arm",),
)
SCORER_ABSTAINED: Final = Metric(
    "pulse_scorer_abstained_lines_total", "counter", "scorer", "Those that the arm abstained from.", ("arm",)
)
SCORER_MODEL_SECONDS: Final = Metric(
    "pulse_scorer_model_seconds_total", "counter", "scorer", "Time that the arm's model took.", ("arm",)
)
SCORER_TRIAL_FAILURES: Final = Metric(
    "pulse_scorer_trial_failures_total",
    "counter",
    "scorer",
    "Requests for arm b that its model failed and arm a has answered.",
)
SCORER_SECONDS: Final = Metric(
    "pulse_scorer_request_seconds",
    "histogram",
    "scorer",
    "From a request's body to its answer, the wait for the model included.",
    (),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

# The notifier: alerts to people.
NOTIFY_REVISIONS: Final = Metric(
    "pulse_notify_revisions_total",
    "counter",
    "notifier",
    "Alert revisions read, by outcome: queued, repeated (known already), unmatched (no rule), "
    "unchanged (nothing new for the target), quiet (dropped by quiet hours or muted by somebody), stale "
    "(too old), refused (unreadable).",
    ("outcome",),
)
NOTIFY_SENT: Final = Metric(
    "pulse_notify_sent_alerts_total", "counter", "notifier", "Alerts that a target accepted.", ("target",)
)
NOTIFY_MESSAGES: Final = Metric(
    "pulse_notify_messages_total",
    "counter",
    "notifier",
    "Messages that a target accepted; one may hold several alerts.",
    ("target",),
)
NOTIFY_FAILURES: Final = Metric(
    "pulse_notify_failed_attempts_total",
    "counter",
    "notifier",
    "Attempts that a target did not accept, by reason: timeout, connection, rate_limited, http_NNN, gave_up.",
    ("target", "reason"),
)
NOTIFY_DEAD: Final = Metric(
    "pulse_notify_dead_alerts_total",
    "counter",
    "notifier",
    "Alerts given up; `pulse notify dead` shows them.",
    ("target",),
)
NOTIFY_WAITING: Final = Metric(
    "pulse_notify_waiting_alerts",
    "gauge",
    "notifier",
    "Alerts not yet accepted by a target, those that quiet hours hold included.",
    ("target",),
)
NOTIFY_DELAY: Final = Metric(
    "pulse_notify_delay_seconds",
    "histogram",
    "notifier",
    "From the alert in Kafka to the target's acceptance; those that quiet hours held are left out.",
    ("target",),
    (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
NOTIFY_MUTE_FAILURES: Final = Metric(
    "pulse_notify_mute_failures_total",
    "counter",
    "notifier",
    "Times that the API did not say which alerts are muted; the last known mutes stay in force.",
)
NOTIFY_COMMIT_FAILURES: Final = Metric(
    "pulse_notify_commit_failures_total",
    "counter",
    "notifier",
    "Offset commits that Kafka refused; the alerts are read again and recognised.",
)

# The second opinion of a large language model (`pulse opinion run`).
OPINION_LINES: Final = Metric(
    "pulse_opinion_lines_total",
    "counter",
    "opinion",
    "Selected chat lines by outcome: answered, cached (the text's opinion was known), unanswered (no valid "
    "answer), failed (the endpoint did not answer), dropped_full (too many waited), dropped_old (waited too "
    "long), unreadable (no scored line).",
    ("outcome",),
)
OPINION_REQUESTS: Final = Metric(
    "pulse_opinion_requests_total",
    "counter",
    "opinion",
    "Requests by outcome: answered, timeout, connection, rate_limited, http_NNN, too_large, encoded, "
    "no_completion.",
    ("outcome",),
)
OPINION_SECONDS: Final = Metric(
    "pulse_opinion_request_seconds",
    "histogram",
    "opinion",
    "From a request to its complete answer, the wait for the own rate limit left out.",
    (),
    (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60),
)
OPINION_TOKENS: Final = Metric(
    "pulse_opinion_tokens_total",
    "counter",
    "opinion",
    "Tokens of answered requests and their answers, as the endpoint reports them, else estimated.",
)
OPINION_FAULTS: Final = Metric(
    "pulse_opinion_answer_faults_total",
    "counter",
    "opinion",
    "What was wrong with answers: malformed, unknown_id, repeated_id, extra_field, invalid (an entry), "
    "missing (a text), control (figures of the control texts).",
    ("fault",),
)
OPINION_WAITING: Final = Metric(
    "pulse_opinion_waiting_lines", "gauge", "opinion", "Selected chat lines that wait for an answer."
)
OPINION_DEGRADED: Final = Metric(
    "pulse_opinion_degraded", "gauge", "opinion", "1 while the endpoint does not answer, else 0."
)
OPINION_LOST: Final = Metric(
    "pulse_opinion_lost_opinions_total", "counter", "opinion", "Opinions that Kafka did not take."
)
OPINION_COMMIT_FAILURES: Final = Metric(
    "pulse_opinion_commit_failures_total",
    "counter",
    "opinion",
    "Offset commits that Kafka refused; young lines are read again and found in the cache.",
)

CATALOGUE: Final[dict[str, Metric]] = {
    metric.name: metric for metric in list(globals().values()) if isinstance(metric, Metric)
}
"""All of them by name."""
