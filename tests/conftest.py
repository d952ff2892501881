"""What all tests share: order, the shared data, and marks that follow from a test's folder."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ORDER = ("unit", "contract", "flink", "integration", "browser")
"""Cheap tests first; among those on a stack, the ones that kill processes come last."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


os.environ.setdefault("PULSE_CLASS_ARCHIVES", "false")
"""The stacks of tests start once; writing class archives at their end would not pay."""


def shared_folder() -> Path | None:
    """The folder of the shared data: PULSE_SHARED, else `../shared` beside the checkout."""
    named = os.environ.get("PULSE_SHARED")
    folder = Path(named) if named else ROOT.parent / "shared"
    return folder if (folder / "data").is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared folder; the test is skipped where it is missing (see the mark `data`)."""
    folder = shared_folder()
    if folder is None:
        pytest.skip("needs ../shared/data (or PULSE_SHARED)")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=8, help="kills of the kill test (20: long run)")
    parser.addoption("--kill-seed", type=int, default=1, help="seed of the kill test's moments and victims")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("data") and shared_folder() is None:
            item.add_marker(pytest.mark.skip(reason="needs ../shared/data (or PULSE_SHARED)"))
        if item.get_closest_marker("browser") and not any(map(shutil.which, BROWSERS)):
            item.add_marker(pytest.mark.skip(reason="needs Chromium: apt-get install chromium"))
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[bool, int]:
    folder = item.path.relative_to(ROOT / "tests").parts[0]
    return bool(item.get_closest_marker("kill")), ORDER.index(folder) if folder in ORDER else len(ORDER)
