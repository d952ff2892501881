"""A filled chDB store per module behind the application."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from serving.api.app import create_app
from tests.fixtures.api_store import ApiTestStore
from tests.fixtures.store import TestStore

TOKEN = "the-token-of-this-test"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestStore]:
    with TestStore.open(tmp_path_factory.mktemp("store")) as opened:
        yield opened


@pytest.fixture
def api_store(store: TestStore) -> ApiTestStore:
    return ApiTestStore(store)


@pytest.fixture
def anyone(api_store: ApiTestStore, tmp_path: Path) -> Iterator[TestClient]:
    """A client without a token."""
    (tmp_path / "index.html").write_text("<!doctype html><title>Pulse</title>")
    (tmp_path / "main.js").write_text("export {};")
    app = create_app(api_store, TOKEN, static=tmp_path, registry=CollectorRegistry())
    with TestClient(app, base_url="http://127.0.0.1:18080", follow_redirects=False) as client:
        yield client


@pytest.fixture
def api(anyone: TestClient) -> TestClient:
    """A client with the token."""
    anyone.headers["Authorization"] = f"Bearer {TOKEN}"
    return anyone
