"""What between two JSON schemas of a topic would break a reader."""

from collections.abc import Iterator
from typing import Any, Final

Schema = dict[str, Any]

_LIMITS: Final = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
    *("minItems", "maxItems", "pattern", "format", "contentEncoding", "default"),
)


def breaks(old: Schema, new: Schema) -> list[str]:
    """Each change from `old` to `new` that breaks a reader, as a line that names the field.

    Two kinds of reader count: one that still has the old schema and meets new records, and one that has the
    new schema and meets old records, which lie in Kafka for days. Broken are they by a field that is gone,
    that has another type or takes null now, that is required now, and by a value that an enumeration lost
    or gained. A new optional field breaks nobody.

    Both schemas are as `schemas.json_schema` generates them: objects with `properties` and `required`,
    references into `$defs`.
    """
    return list(_compare(old, new, _Definitions(old, new), "record"))


class _Definitions:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old.get("$defs", {})
        self._new = new.get("$defs", {})

    def resolve(self, old: Schema, new: Schema) -> tuple[Schema, Schema]:
        return _resolve(old, self._old), _resolve(new, self._new)


def _resolve(schema: Schema, definitions: Schema) -> Schema:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _compare(old: Schema, new: Schema, definitions: _Definitions, at: str) -> Iterator[str]:
    old, new = definitions.resolve(old, new)
    if "anyOf" in old or "anyOf" in new:
        yield from _compare_choices(old, new, definitions, at)
        return
    if old.get("type") != new.get("type"):
        yield f"{at}: the type changed from {_kind(old)} to {_kind(new)}"
        return
    yield from _compare_values(old, new, at)
    yield from _compare_limits(old, new, at)
    yield from _compare_fields(old, new, definitions, at)
    for part in ("items", "additionalProperties"):
        if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
            yield from _compare(old[part], new[part], definitions, f"{at}[]")
    old_prefix, new_prefix = old.get("prefixItems", []), new.get("prefixItems", [])
    if len(old_prefix) != len(new_prefix):
        yield f"{at}: the number of its items changed from {len(old_prefix)} to {len(new_prefix)}"
    for index, (was, now) in enumerate(zip(old_prefix, new_prefix, strict=False)):
        yield from _compare(was, now, definitions, f"{at}[{index}]")


def _compare_choices(old: Schema, new: Schema, definitions: _Definitions, at: str) -> Iterator[str]:
    was = {_kind(choice): choice for choice in old.get("anyOf", [old])}
    now = {_kind(choice): choice for choice in new.get("anyOf", [new])}
    if was.keys() != now.keys():
        yield f"{at}: the type changed from {' or '.join(sorted(was))} to {' or '.join(sorted(now))}"
        return
    for kind, choice in was.items():
        yield from _compare(choice, now[kind], definitions, at)


def _compare_values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    was, now = _values(old), _values(new)
    if was is None and now is None:
        return
    if was is None or now is None:
        yield f"{at}: the values allowed changed from {_listed(was)} to {_listed(now)}"
        return
    if gone := sorted(was - now):
        yield f"{at}: the values {gone} are gone; older records hold them"
    if added := sorted(now - was):
        yield f"{at}: the values {added} are new; readers of the committed schema refuse them"


def _compare_limits(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for limit in _LIMITS:
        if old.get(limit) != new.get(limit):
            yield f"{at}: {limit} changed from {old.get(limit)} to {new.get(limit)}"


def _compare_fields(old: Schema, new: Schema, definitions: _Definitions, at: str) -> Iterator[str]:
    was, now = old.get("properties", {}), new.get("properties", {})
    required_before, required_now = set(old.get("required", [])), set(new.get("required", []))
    for name in was:
        if name not in now:
            yield f"{at}.{name}: the field is gone"
        else:
            yield from _compare(was[name], now[name], definitions, f"{at}.{name}")
    for name in sorted(required_now - required_before):
        yield f"{at}.{name}: the field is required now; older records lack it"
    for name in sorted((required_before - required_now) & now.keys()):
        yield f"{at}.{name}: the field may be missing now; readers of the committed schema require it"


def _values(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return {repr(value) for value in schema["enum"]} if "enum" in schema else None


def _listed(values: set[str] | None) -> str:
    return "any" if values is None else ", ".join(sorted(values))


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    if values := _values(schema):
        return str(schema.get("type") or f"one of {', '.join(sorted(values))}")
    return str(schema.get("type", "anything"))
