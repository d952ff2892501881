"""JSON documents of any size: their items one after another, damage as a typed error."""

from collections.abc import Iterator
from typing import Any, Final

import ijson  # type: ignore[import-untyped]

from connectors.imports.export import Export, is_damage
from schemas.codecs import InvalidRecordError

_BUFFER_BYTES: Final = 1 << 18


def items(export: Export, prefix: str) -> Iterator[tuple[int, Any]]:
    """Yield the objects at an ijson prefix (such as `comments.item`), counted from 1.

    Raises:
        InvalidRecordError: the document breaks off or is no JSON from here on; what came before is whole.
        OSError: the file cannot be read.
    """
    with export.open(export.on_bytes) as file:
        found = ijson.items(file, prefix, buf_size=_BUFFER_BYTES)
        number = 0
        while True:
            try:
                item = next(found)
            except StopIteration:
                return
            except (ijson.JSONError, UnicodeDecodeError) as error:
                detail = f"the document is no JSON after item {number}: {str(error).splitlines()[0][:100]}"
                raise InvalidRecordError("not_json", detail) from None
            except Exception as error:
                if not is_damage(error):
                    raise
                raise InvalidRecordError(
                    "source_line", f"the file is damaged after item {number}: {error}"
                ) from None
            number += 1
            yield number, item


def header(export: Export, until: str) -> dict[str, Any]:
    """The plain values that stand before an array, by their ijson prefix (such as `streamer.name`).

    Damage ends the header: the items' reader reports it.

    Raises:
        OSError: the file cannot be read.
    """
    found: dict[str, Any] = {}
    with export.open() as file:
        try:
            for prefix, event, value in ijson.parse(file, buf_size=4096):
                if prefix == until and event == "start_array":
                    break
                if event in ("string", "number") and ".item" not in prefix:
                    found[prefix] = value
        except (ijson.JSONError, UnicodeDecodeError):
            return found
        except Exception as error:
            if not is_damage(error):
                raise
    return found
