import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.imports.conversion import Conversion, Refused
from connectors.imports.export import Export
from connectors.imports.formats import Format

Convert = Callable[..., tuple[list[dict[str, Any]], list[Refused]]]


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    """Bytes (or several files' bytes) to recorded lines and what was refused."""

    def converted(
        *contents: bytes, name: str = "export.json", format_: Format | None = None
    ) -> tuple[list[dict[str, Any]], list[Refused]]:
        refused: list[Refused] = []
        with Conversion(refused.append) as conversion:
            for number, content in enumerate(contents):
                path = tmp_path / str(number) / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
                conversion.read(Export(path), format_)
            lines = [json.loads(line) for line in conversion.recorded()]
            assert (conversion.lines, conversion.refused) == (len(lines), len(refused))
        return lines, refused

    return converted
