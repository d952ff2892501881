"""The JSON schemas: generated, committed, and never breaking a reader."""

import copy
from typing import Any, Literal

import msgspec
import pytest

from schemas.compatibility import breaks
from schemas.json_schema import FROZEN, breaking_changes, generate, path_of, render
from schemas.topics import MESSAGES, RECORD_TYPES


@pytest.mark.parametrize("topic", RECORD_TYPES)
def test_committed_schema_is_the_generated_one(topic: str) -> None:
    assert path_of(topic).read_bytes() == render(generate(topic)), (
        "schemas/records.py and the committed schema differ: python -m schemas.json_schema --write"
    )


def test_no_record_type_breaks_readers_of_the_frozen_schemas() -> None:
    assert all(path_of(topic, FROZEN).exists() for topic in RECORD_TYPES)
    assert breaking_changes() == []


class Inner(msgspec.Struct, frozen=True):
    name: str
    size: int | None = None


class Base(msgspec.Struct):
    id: str
    kind: Literal["a", "b"]
    count: int
    inner: Inner
    many: tuple[Inner, ...] = ()
    note: str | None = None
    raw: bytes = b""


class InnerRetyped(msgspec.Struct):
    name: int
    size: int | None = None


def _schema(record_type: type[msgspec.Struct]) -> dict[str, Any]:
    (reference,), definitions = msgspec.json.schema_components([record_type], ref_template="#/$defs/{name}")
    body = definitions.pop(reference["$ref"].rsplit("/", 1)[1])
    return body | {"$defs": definitions}


def _variant(**fields: Any) -> dict[str, Any]:
    """Base with some fields' types (or type and default) replaced, added, or removed (None)."""
    specs = []
    for field in msgspec.structs.fields(Base):
        spec = fields.pop(field.name, (field.type, field.default))
        if spec is not None:
            specs.append((field.name, *(spec if isinstance(spec, tuple) else (spec, msgspec.NODEFAULT))))
    specs += [
        (name, *(spec if isinstance(spec, tuple) else (spec, msgspec.NODEFAULT)))
        for name, spec in fields.items()
    ]
    return _schema(
        msgspec.defstruct(
            "Variant",
            [
                (name, kind) if default is msgspec.NODEFAULT else (name, kind, default)
                for name, kind, default in specs
            ],
            kw_only=True,
        )
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"note": None}, "record.note: the field is gone"),
        ({"count": None}, "record.count: the field is gone"),
        ({"count": str}, "record.count: the type changed from integer to string"),
        ({"count": float}, "record.count: the type changed from integer to number"),
        ({"count": int | None}, "record.count: the type changed from integer to integer or null"),
        ({"count": (int, 0)}, "record.count: the field may be missing now"),
        ({"note": str | None}, "record.note: the field is required now"),
        ({"note": (str, "")}, "record.note: the type changed"),
        ({"fresh": int}, "record.fresh: the field is required now"),
        ({"kind": Literal["a"]}, "the values [\"'b'\"] are gone"),
        ({"kind": Literal["a", "b", "c"]}, "the values [\"'c'\"] are new"),
        ({"kind": str}, "record.kind"),
        ({"raw": (str, "")}, "record.raw: contentEncoding changed"),
        ({"inner": InnerRetyped}, "record.inner.name: the type changed from string to integer"),
        ({"many": (tuple[InnerRetyped, ...], ())}, "record.many[].name: the type changed"),
        ({"many": (Inner, Inner("x"))}, "record.many: the type changed from array to object"),
    ],
)
def test_each_kind_of_break_is_named(change: dict[str, Any], told: str) -> None:
    found = breaks(_schema(Base), _variant(**change))
    assert any(told in line for line in found), found


@pytest.mark.parametrize(
    "change",
    [{}, {"fresh": (int | None, None)}, {"fresh": (str, "")}, {"fresh": (tuple[Inner, ...], ())}],
)
def test_added_optional_fields_break_nobody(change: dict[str, Any]) -> None:
    assert breaks(_schema(Base), _variant(**change)) == []


def test_a_removed_field_of_a_real_topic_is_found() -> None:
    frozen = generate(MESSAGES)
    broken = copy.deepcopy(frozen)
    del broken["properties"]["author"]
    broken["$defs"]["Emote"]["required"].append("start")
    found = breaks(frozen, broken)
    assert "record.author: the field is gone" in found
    assert "record.emotes[].start: the field is required now; older records lack it" in found
