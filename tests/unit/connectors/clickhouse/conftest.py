"""A chDB store per module: chDB admits one path per process, so it is closed before the next module opens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.store import TestStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestStore]:
    folder: Path = tmp_path_factory.mktemp("store")
    with TestStore.open(folder) as opened:
        yield opened
