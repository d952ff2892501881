"""Migrations: applied once, immutable, and their sum as a snapshot."""

import os
import re
from pathlib import Path

import pytest

from connectors.clickhouse import migrations
from connectors.clickhouse.client import DATABASE, StoreAddress, StoreLockedError, connect
from connectors.clickhouse.migrations import MIGRATIONS, MigrationError, migrate, migration_states
from schemas.retention import NEVER_S, Retention, load_retention
from tests.fixtures.store import TestStore

SNAPSHOT = Path(__file__).with_name("ddl_snapshot.sql")


def test_names_count_up_from_one() -> None:
    names = sorted(path.name for path in MIGRATIONS.glob("*.sql"))
    assert all(re.fullmatch(r"\d{4}_[a-z]+_[a-z_]+\.sql", name) for name in names)
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_a_second_run_applies_nothing(store: TestStore) -> None:
    assert migrate(store.address) == []
    assert {state.state for state in migration_states(store.address)} == {"applied"}


def test_a_changed_file_is_refused(store: TestStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in MIGRATIONS.glob("*.sql"):
        (tmp_path / path.name).write_text(
            path.read_text() + ("-- edited\n" if "windows" in path.name else "")
        )
    monkeypatch.setattr(migrations, "MIGRATIONS", tmp_path)
    with pytest.raises(MigrationError, match="5"):
        migrate(store.address)
    assert "md5-mismatch" in {state.state for state in migration_states(store.address)}


def test_the_schema_is_the_snapshot(store: TestStore) -> None:
    """To accept a new migration: PULSE_UPDATE_SNAPSHOT=1 pytest …, and read the diff."""
    names = [row["name"] for row in store.rows("SHOW TABLES")]
    ddl = "\n\n".join(str(store.client.command(f"SHOW CREATE TABLE `{name}`")) for name in sorted(names))
    ddl = ddl.replace("\\n", "\n").replace("\\'", "'") + "\n"
    if os.environ.get("PULSE_UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(ddl)
    assert ddl == SNAPSHOT.read_text()


def test_retention_reaches_the_store_anew_at_each_run(store: TestStore) -> None:
    spans = load_retention()
    changed = Retention(dead_letters="1d", platforms={"*": {"text": "2h", "derived": "never"}})  # type: ignore[arg-type]
    migrate(store.address, retention=changed)
    query = "SELECT span_s FROM retention FINAL WHERE platform = '*' AND what = {what:String}"
    assert store.one(query, what="text") == 7_200
    assert store.one(query, what="derived") == NEVER_S
    migrate(store.address, retention=spans)
    assert store.one(query, what="text") == spans.span_s("nobody", "text")


def test_the_key_of_the_score_hashes_is_made_once(store: TestStore) -> None:
    before = store.rows("SELECT k0, k1 FROM score_keys")
    migrate(store.address)
    assert store.rows("SELECT k0, k1 FROM score_keys") == before
    assert len(before) == 1


def test_a_database_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="database name"):
        StoreAddress("https://host:8443/x`; DROP", Path())
    assert StoreAddress("https://host:8443/other", Path()).database == "other"
    assert StoreAddress("https://host:8443", Path()).database == DATABASE


def test_a_path_held_by_another_process_is_said_so(store: TestStore) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path\n"
        "from connectors.clickhouse.client import StoreAddress, StoreLockedError, connect\n"
        "try: connect(StoreAddress('', Path(sys.argv[1])))\n"
        "except StoreLockedError as error: sys.exit(7)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.address.path)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 7, done.stderr.decode()[-500:]


def test_other_trouble_is_not_called_a_lock(store: TestStore, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"chdb|elsewhere") as caught:
        connect(StoreAddress("", tmp_path / "elsewhere"))
    assert not isinstance(caught.value, StoreLockedError)
