# ruff: noqa: S608  (SQL of our own constants and numbers)
"""A store that has taken so many messages, for timing its readers: filled by SQL, through the landing tables.

Every line comes unscored and scored, as from the two topics, an hour of all streams at a time; windows and
activity are the counts and sums of those lines. Streams differ in size as a power law, texts are real ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from clickhouse_connect.driver.client import Client

from connectors.clickhouse.client import StoreAddress, connect
from connectors.clickhouse.migrations import migrate
from infra.local.acceptance.load_texts import distinct_texts
from schemas.labels import BASIC, EMOTIONS

WORKSPACE: Final = "default"
_SETTINGS: Final[dict[str, str | int]] = {
    "max_threads": 1,
    "max_insert_threads": 1,
    "prefer_column_name_to_alias": 1,
    # blocks that fit into the memory that the store process gives chDB
    "max_block_size": 32_768,
    "min_insert_block_size_rows": 65_536,
    "min_insert_block_size_bytes": 32_000_000,
    "max_bytes_before_external_group_by": 150_000_000,
}
WINDOW_SIZES_MS: Final = (1_000, 10_000)
_HOUR_MS: Final = 3_600_000
_NEVER_MS: Final = 4_102_444_800_000
_TEXTS: Final = 20_000
_LANGUAGES: Final = ("en", "ru", "es", "de", "pt", "ja")
_EMOTES: Final = 60
_ALERT_KINDS: Final = ("attack.raid", "attack.wave", "flood.account", "spam.links", "mood.toxic", "hype")


@dataclass(frozen=True)
class Growth:
    """How much is stored.

    Attributes:
        messages: chat lines.
        streams: broadcasts side by side; the first is the largest.
        hours: length of every broadcast.
        end_ms: when the last line was sent, epoch ms; on a bound of the longest windows, as lines go in
            hour by hour, and two halves of a window would replace each other.

    Raises:
        ValueError: the end is not on a bound.
    """

    messages: int
    streams: int
    hours: int
    end_ms: int

    def __post_init__(self) -> None:
        if self.end_ms % WINDOW_SIZES_MS[-1]:
            raise ValueError(f"end_ms {self.end_ms} is not a multiple of {WINDOW_SIZES_MS[-1]}")

    @property
    def start_ms(self) -> int:
        """When the first line was sent."""
        return self.end_ms - self.hours * _HOUR_MS

    def stream_ids(self) -> list[str]:
        """Broadcasts, the largest first."""
        return [f"{channel}/1" for channel in self.channels()]

    def channels(self) -> list[str]:
        """Their channels."""
        return [f"replay:channel{number}" for number in range(self.streams)]

    def hourly(self) -> list[int]:
        """Lines of each stream in one hour: the share of stream k is proportional to 1 / (k + 3)."""
        weights = [1 / (number + 3) for number in range(self.streams)]
        return [round(self.messages * weight / sum(weights) / self.hours) for weight in weights]


def grow(address: StoreAddress, growth: Growth, texts: Sequence[str], told: Callable[[str], None]) -> int:
    """Fill an empty store; gives the number of lines that it holds then.

    Args:
        address: migrated first.
        growth: how much.
        texts: real chat lines; each is used as it is and with words added.
        told: a line of progress every hour of the broadcasts.
    """
    migrate(address)
    client = connect(address, settings=_SETTINGS)
    try:
        _put_texts(client, texts)
        for hour in range(growth.hours):
            begin_ms = growth.start_ms + hour * _HOUR_MS
            _lines(client, growth, begin_ms, scored=False)
            _lines(client, growth, begin_ms, scored=True)
            for size_ms in WINDOW_SIZES_MS:
                _windows(client, size_ms, begin_ms)
            _activity(client, begin_ms)
            told(f"hour {hour + 1} of {growth.hours} stored")
        _alerts(client, growth)
        _events(client, growth)
        _dead_letters(client, growth)
        client.command("DROP TABLE bench_texts")
        return int(client.query("SELECT count() FROM messages").result_rows[0][0])
    finally:
        client.close()


def _put_texts(client: Client, texts: Sequence[str]) -> None:
    client.command("CREATE TABLE bench_texts (number UInt64, text String) ENGINE = Join(ANY, LEFT, number)")
    rows = list(zip(range(_TEXTS), distinct_texts(list(texts)), strict=False))
    client.insert("bench_texts", rows, column_names=["number", "text"])


def _insert(client: Client, table: str, columns: Mapping[str, str], source: str, *, given: str = "") -> None:
    """INSERT … SELECT with the columns named on both sides; `given` is a WITH clause."""
    names = ", ".join(f"`{name}`" for name in columns)
    values = ", ".join(f"{value} AS `{name}`" for name, value in columns.items())
    client.command(f"INSERT INTO {table} ({names}) {given} SELECT {values} {source}")


def _of_stream() -> dict[str, str]:
    return {
        "workspace": f"'{WORKSPACE}'",
        "channel": "concat('replay:channel', toString(k))",
        "stream_id": "concat('replay:channel', toString(k), '/1')",
    }


def _lines(client: Client, growth: Growth, begin_ms: int, *, scored: bool) -> None:
    sent_at = f"{begin_ms} + intDiv(j * {_HOUR_MS}, hourly[k + 1])"
    columns = _of_stream() | {
        "message_id": "id",
        "kind": "'message'",
        "sent_at": sent_at,
        "received_at": f"{sent_at} + 40",
        "expires_at": str(_NEVER_MS),
        "author": "concat('k1.', hex(sipHash64(k, toUInt64(pow(h % 10007 / 10007, 2) * hourly[k + 1]))))",
        "text": f"joinGet('bench_texts', 'text', toUInt64(h % {_TEXTS}))",
        "emotes": f"if(h % 5 = 0, [(concat('e', toString(intDiv(h, 5) % {_EMOTES})), 'twitch', 0, 5)], [])",
        "lang": f"{list(_LANGUAGES)}[1 + h % 11 % {len(_LANGUAGES)}]",
    }
    if scored:
        columns |= {
            "emotions": _scores(len(EMOTIONS)),
            "basic": _scores(len(BASIC)),
            "sentiment": "h % 20001 / 10000 - 1",
            "toxicity": "pow(h % 997 / 997, 6)",
            "hate": "pow(h % 997 / 997, 6) / 2",
            "sarcasm": "0.1",
            "model": "'bench'",
            "model_version": "'1'",
            "scored_at": f"{sent_at} + 160",
            "abstained": "h % 50 = 0",
        }
    hourly = growth.hourly()
    ends = list(accumulate(hourly))
    each_line = (
        "SELECT arrayFirstIndex(end -> number < end, ends) - 1 AS k,"
        " number + hourly[k + 1] - ends[k + 1] AS j,"
        f" concat(toString(k), '-', toString({begin_ms}), '-', toString(j)) AS id, cityHash64(id) AS h"
        f" FROM numbers({ends[-1]})"
    )
    given = f"WITH {hourly} AS hourly, {ends} AS ends"
    _insert(client, "landing_messages", columns, f"FROM ({each_line})", given=given)


def _scores(labels: int) -> str:
    """A tuple of shares of about one in total."""
    each = ", ".join(f"intHash32(h + {number}) % 2000 / {1_000 * labels}" for number in range(labels))
    return f"({each})"


def _lines_of_hour(begin_ms: int) -> str:
    begin = f"fromUnixTimestamp64Milli({begin_ms})"
    within = f"sent_at >= {begin} AND sent_at < {begin} + INTERVAL 1 HOUR"
    return f"FROM (SELECT * FROM chat_lines WHERE version = 2 AND {within})"


def _windows(client: Client, size_ms: int, begin_ms: int) -> None:
    def summed(column: str, power: int = 1) -> str:
        return f"toInt64(sum(pow(round({column} * 10000), {power})))"

    def each(column: str, power: int = 1) -> str:
        return f"sumForEach(arrayMap(x -> toInt64(pow(round(x * 10000), {power})), {column}))"

    columns = {
        "workspace": "workspace",
        "channel": "any(channel)",
        "stream_id": "stream_id",
        "size_ms": str(size_ms),
        "start_ms": f"intDiv(toUnixTimestamp64Milli(sent_at), {size_ms}) * {size_ms}",
        "messages": "count()",
        "scored": "countIf(NOT abstained)",
        "abstained": "countIf(abstained)",
        "authors_in_window": "uniqExact(author)",
        "new_authors": "intDiv(uniqExact(author), 10)",
        "emotion_sum": each("emotions"),
        "emotion_sumsq": each("emotions", 2),
        "basic_sum": each("basic"),
        "basic_sumsq": each("basic", 2),
        "sentiment_sum": summed("sentiment"),
        "sentiment_sumsq": summed("sentiment", 2),
        "toxicity_sum": summed("toxicity"),
        "toxicity_sumsq": summed("toxicity", 2),
        "hate_sum": summed("hate"),
        "sarcasm_sum": summed("sarcasm"),
        "sample_rate": "1",
        "max_lag_ms": "160",
    }
    tail = f"{_lines_of_hour(begin_ms)} GROUP BY workspace, stream_id, start_ms"
    _insert(client, "landing_windows", columns, tail)


def _activity(client: Client, begin_ms: int) -> None:
    columns = {
        "workspace": "workspace",
        "channel": "any(channel)",
        "stream_id": "stream_id",
        "second_ms": "intDiv(toUnixTimestamp64Milli(sent_at), 1000) * 1000",
        "messages": "count()",
        "authors": "uniqExact(author)",
        "first_time_authors": "intDiv(count(), 10)",
        "emotes": "sum(length(emotes))",
    }
    tail = f"{_lines_of_hour(begin_ms)} GROUP BY workspace, stream_id, second_ms"
    _insert(client, "landing_activity", columns, tail)


def _every(growth: Growth, each_hour: int) -> tuple[str, str]:
    """Source of so many rows an hour and stream, and the time of each."""
    rows = growth.streams * growth.hours * each_hour
    at = f"{growth.start_ms} + intDiv(number, {growth.streams}) * {_HOUR_MS // each_hour} + k * 1000 + 1000"
    return f"FROM (SELECT number, number % {growth.streams} AS k FROM numbers({rows}))", at


def _alerts(client: Client, growth: Growth) -> None:
    """Six of each stream an hour; those of the last ten minutes are open."""
    source, at = _every(growth, 6)
    is_open = f"{at} > {growth.end_ms - 600_000}"
    columns = _of_stream() | {
        "alert_id": "concat('alert-', toString(number))",
        "revision": "3",
        "kind": f"{list(_ALERT_KINDS)}[1 + number % {len(_ALERT_KINDS)}]",
        "severity": "['low', 'medium', 'high'][1 + number % 3]",
        "state": f"if({is_open}, 'open', 'closed')",
        "started_at": at,
        "detected_at": f"{at} + 4000",
        "ended_at": f"if({is_open}, NULL, {at} + 90000)",
        "why": """'{"summary":"40 accounts repeat one text"}'""",
        "clusters": "[lower(hex(sipHash64(number % 50)))]",
        "authors": "40",
        "messages": "120",
        "channels": "[concat('replay:channel', toString(k), '/1')]",
    }
    _insert(client, "landing_alerts", columns, source)


def _events(client: Client, growth: Growth) -> None:
    """By turns a gap and a raid of each stream, two an hour."""
    source, at = _every(growth, 2)
    is_gap = f"intDiv(number, {growth.streams}) % 2 = 0"
    columns = _of_stream() | {
        "event_id": "concat('event-', toString(number))",
        "kind": f"if({is_gap}, 'gap', 'raid')",
        "at": at,
        "received_at": at,
        "expires_at": str(_NEVER_MS),
        "viewers": f"if({is_gap}, NULL, 50)",
        "from": f"if({is_gap}, {at} - 5000, NULL)",
        "to": f"if({is_gap}, {at}, NULL)",
        "cause": f"if({is_gap}, 'reconnect', NULL)",
    }
    _insert(client, "landing_events", columns, source)


def _dead_letters(client: Client, growth: Growth) -> None:
    """One for two thousand lines."""
    rows = max(growth.messages // 2_000, 1)
    columns = {
        "dlq_id": "concat('chat.messages.v1/0/', toString(number))",
        "workspace": f"'{WORKSPACE}'",
        "stage": "'score'",
        "source": "'chat.messages.v1'",
        "partition": "0",
        "position": "number",
        "error_class": "['not_json', 'wrong_type', 'not_utf8'][1 + number % 3]",
        "error": "'bench'",
        "raw": "'ew=='",
        "seen_at": f"{growth.start_ms} + intDiv(number * {growth.hours * _HOUR_MS}, {rows})",
    }
    _insert(client, "landing_dead_letters", columns, f"FROM numbers({rows})")
