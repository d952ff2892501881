"""JSON schemas of the topics, generated from the record types.

`python -m schemas.json_schema --write` writes `messages/<topic>.schema.json`. It refuses a change that would
break a reader of the frozen schema in `messages/frozen/`. `--freeze` takes the schemas that are in force as
the new frozen ones once all readers know them; it accepts new optional fields and new values of
enumerations, nothing else. Anything else needs a new version of the topic.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.compatibility import breaks
from schemas.topics import RECORD_TYPES

MESSAGES: Final = Path(__file__).parent / "messages"
FROZEN: Final = MESSAGES / "frozen"
_NEW_VALUES: Final = "readers of the committed schema refuse them"


def generate(topic: str) -> dict[str, Any]:
    """The JSON schema (2020-12) of a topic's values."""
    record_type = RECORD_TYPES[topic]
    (reference,), definitions = msgspec.json.schema_components([record_type], ref_template="#/$defs/{name}")
    body: dict[str, Any] = definitions.pop(reference["$ref"].rsplit("/", 1)[1])
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"pulse:{topic}"}
    schema = head | body | ({"$defs": definitions} if definitions else {})
    # through JSON, so that a default is a list here as in the file
    return msgspec.json.decode(msgspec.json.encode(schema), type=dict[str, Any])


def render(schema: dict[str, Any]) -> bytes:
    """A schema as its file holds it."""
    return msgspec.json.format(msgspec.json.encode(schema, order="deterministic")) + b"\n"


def path_of(topic: str, folder: Path = MESSAGES) -> Path:
    """The file of a topic's schema."""
    return folder / f"{topic}.schema.json"


def breaking_changes(frozen: Path = FROZEN) -> list[str]:
    """What the record types would break for readers of the frozen schemas, topic by topic."""
    found = []
    for topic in RECORD_TYPES:
        if (path := path_of(topic, frozen)).exists():
            old = msgspec.json.decode(path.read_bytes())
            found += [f"{topic}: {line}" for line in breaks(old, generate(topic))]
    return found


def main() -> int:
    """Write or freeze the schemas; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="write messages/*.schema.json")
    action.add_argument("--freeze", action="store_true", help="write messages/frozen/*.schema.json as well")
    freeze = parser.parse_args().freeze
    if found := [line for line in breaking_changes() if not (freeze and line.endswith(_NEW_VALUES))]:
        sys.stderr.write(
            "nothing written: these changes break readers. New values: let the readers know them first, then "
            "--freeze. Anything else needs a new version of the topic.\n"
        )
        sys.stderr.write("\n".join(found) + "\n")
        return 1
    for folder in (MESSAGES, FROZEN) if freeze else (MESSAGES,):
        folder.mkdir(parents=True, exist_ok=True)
        for topic in RECORD_TYPES:
            path_of(topic, folder).write_bytes(render(generate(topic)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
