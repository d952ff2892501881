"""What Grafana and its ClickHouse data source make of a query, by their documented meaning.

For tests and the benchmark, which run every query without a Grafana.

Sources: Grafana's "Variable syntax" page (formats, global variables) and the data source's "Macros" table.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ALL = "$__all"


class MacroError(ValueError):
    """A query uses something that neither Grafana nor the data source knows."""


@dataclass(frozen=True)
class Asked:
    """What the dashboard hands to a query; times in epoch ms."""

    from_ms: int
    to_ms: int
    interval_ms: int = 10_000
    variables: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    def expand(self, sql: str) -> str:
        """The SQL that reaches ClickHouse.

        Raises:
            MacroError: an unknown variable, format or macro, or an open parenthesis.
        """
        return self._macros(self._variables(self._conditional(sql)))

    def _conditional(self, sql: str) -> str:
        macro = "$__conditionalAll("
        while (at := sql.rfind(macro)) >= 0:
            arguments, end = _arguments(sql, at + len(macro) - 1)
            condition, variable = arguments
            chosen = self.variables[variable.strip().removeprefix("$")]
            kept = "1=1" if chosen in ("", ALL, [ALL]) else condition
            sql = sql[:at] + kept + sql[end:]
        return sql

    def _variables(self, sql: str) -> str:
        known = {
            "__from": str(self.from_ms),
            "__to": str(self.to_ms),
            "__interval_ms": str(self.interval_ms),
            **self.variables,
        }

        def value(match: re.Match[str]) -> str:
            name, form = match[1], match[2] or ""
            if name not in known:
                raise MacroError(f"no variable {name}")
            chosen = known[name]
            values = [chosen] if isinstance(chosen, str) else list(chosen)
            if form == "sqlstring":
                return ",".join("'" + one.replace("'", "''") + "'" for one in values)
            if form:
                raise MacroError(f"format {form} is not used here")
            return values[0] if len(values) == 1 else "{" + ",".join(values) + "}"

        return re.sub(r"\$\{(\w+)(?::(\w+))?\}", value, sql)

    def _macros(self, sql: str) -> str:
        seconds = max(self.interval_ms // 1000, 1)
        start, end = f"toDateTime({self.from_ms // 1000})", f"toDateTime({self.to_ms // 1000})"
        start_ms = f"fromUnixTimestamp64Milli({self.from_ms})"
        end_ms = f"fromUnixTimestamp64Milli({self.to_ms})"
        while match := re.search(r"\$__(\w+)", sql):
            name, at, after = match[1], match.start(), match.end()
            argument = ""
            if after < len(sql) and sql[after] == "(":
                (argument,), after = _arguments(sql, after)
            plain = {
                "fromTime": start,
                "toTime": end,
                "fromTime_ms": start_ms,
                "toTime_ms": end_ms,
                "interval_s": str(seconds),
                "timeFilter": f"{argument} >= {start} AND {argument} <= {end}",
                "timeFilter_ms": f"{argument} >= {start_ms} AND {argument} <= {end_ms}",
                "timeInterval": f"toStartOfInterval(toDateTime({argument}), INTERVAL {seconds} second)",
            }
            if name not in plain:
                raise MacroError(f"no macro $__{name}")
            sql = sql[:at] + plain[name] + sql[after:]
        return sql


def _arguments(sql: str, opening: int) -> tuple[list[str], int]:
    """Comma-separated arguments of the call whose parenthesis is at `opening`, and where it ends."""
    depth, start = 0, opening + 1
    found: list[str] = []
    for at in range(opening, len(sql)):
        if sql[at] == "(":
            depth += 1
        elif sql[at] == ")":
            depth -= 1
            if depth == 0:
                return [*found, sql[start:at]], at + 1
        elif sql[at] == "," and depth == 1:
            found.append(sql[start:at])
            start = at + 1
    raise MacroError("a parenthesis is open")
