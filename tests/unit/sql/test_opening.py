"""How a database is opened: which URLs, who may read the file, where it may lie, how durable it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rotator.adapters.sql import files, schema
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.engine import parse_url
from rotator.domain.errors import ConfigError
from rotator.domain.secret import Secret
from tests.contract.ledger_ports import RealClock, fill, open_database
from tests.unit.sql.support import started


@pytest.mark.parametrize(
    "url",
    [
        "", "nonsense", "mysql://db.example.com/rotator", "postgresql://db.example.com/rotator", "sqlite://",
        "sqlite:///:memory:", "sqlite:////tmp/x.db?mode=ro", "sqlite+aiosqlite:////tmp/x.db",
    ],
)  # fmt: skip
def test_only_two_kinds_of_database_are_taken(url: str) -> None:
    """Anything but a SQLite file and PostgreSQL by psycopg is refused with an example."""
    with pytest.raises(ConfigError) as caught:
        parse_url(url)
    assert "sqlite:////var/lib/rotator/rotator.db" in caught.value.fix


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://u:hunter2@db.example.com/r", "postgresql+psycopg://u@db.example.com/r?password=hunter2"],
)
def test_a_password_in_the_url_is_refused_and_not_repeated(url: str) -> None:
    """It would stand in the configuration file; the error names the option that holds it."""
    with pytest.raises(ConfigError) as caught:
        parse_url(url)
    assert "password_file" in caught.value.fix
    assert "hunter2" not in f"{caught.value!r} {caught.value.fix} {caught.value.__context__!r}"


def test_the_files_of_sqlite_are_for_the_owner_alone(tmp_path: Path) -> None:
    """Database, write-ahead log and shared memory are 0600 whatever the umask; a wider file is tightened."""
    path = tmp_path / "rotator.db"
    path.touch()
    path.chmod(0o644)
    before = os.umask(0)
    try:
        database = open_database(f"sqlite:///{path}")
        schema.prepare(database)
        started(database)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    database.close()
    assert modes == {"rotator.db": 0o600, "rotator.db-wal": 0o600, "rotator.db-shm": 0o600}


def test_a_missing_folder_is_named_with_the_command(tmp_path: Path) -> None:
    """The state folder is made by whoever installs, with the right owner."""
    with pytest.raises(ConfigError, match="does not exist") as caught:
        open_database(f"sqlite:///{tmp_path}/none/rotator.db")
    assert caught.value.fix.startswith("mkdir")


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """The system's own words say what is wrong."""
    (tmp_path / "rotator.db").mkdir()
    with pytest.raises(ConfigError, match="directory"):
        open_database(f"sqlite:///{tmp_path}/rotator.db")


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "fuse.sshfs"])
def test_sqlite_on_a_network_file_system_is_refused(tmp_path: Path, kind: str) -> None:
    """There SQLite's locks and shared memory do not hold; the innermost mount decides."""
    mounts = tmp_path / "mounts"
    place = str(tmp_path).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {place} {kind} rw 0 0\ntmpfs /run tmpfs rw 0 0\n")
    assert files.filesystem(tmp_path, mounts) == kind
    with pytest.raises(ConfigError, match=kind):
        Database(f"sqlite:///{tmp_path}/rotator.db", clock=RealClock(), mounts=mounts)
    assert not (tmp_path / "rotator.db").exists()


def test_the_last_mount_of_a_place_is_the_one_that_counts(tmp_path: Path) -> None:
    """A local disk mounted over a network folder is a local disk; a longer name beside it is another place."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"a / nfs rw 0 0\nb {tmp_path} nfs rw 0 0\nc {tmp_path} ext4 rw 0 0\nd {tmp_path}x nfs rw 0 0\n")
    assert files.filesystem(tmp_path, mounts) == "ext4"
    assert files.filesystem(tmp_path, tmp_path / "none") == ""


def test_a_connection_of_sqlite_is_durable(sqlite_url: str) -> None:
    """WAL, synchronous FULL (2), foreign keys, recursive triggers, no trusted schema, a busy timeout."""
    database = open_database(sqlite_url, patience=3)
    names = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "trusted_schema", "busy_timeout")
    with database.engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    database.close()
    assert found == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1, "trusted_schema": 0,
        "busy_timeout": 3000,
    }  # fmt: skip


def test_both_databases_have_a_clock_of_their_own(database: Database) -> None:
    """UTC, within a minute of this machine's, and it goes on inside a transaction."""
    first, second = database.write(lambda connection: (database.now(connection), database.now(connection)))
    assert first <= second
    assert abs(first.timestamp() - time.time()) < 60
    assert str(first.tzinfo) == "UTC"


@pytest.mark.needs("postgres")
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_the_password_is_asked_for_at_each_connection(url: str) -> None:
    """It comes from a callable, so that a changed file is read; PostgreSQL's trust login ignores it."""
    asked: list[int] = []

    def password() -> Secret:
        asked.append(1)
        return Secret("hunter2")

    database = Database(url, clock=RealClock(), password=password)
    for _ in range(2):
        database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        database.close()
    assert len(asked) == 2
    assert "hunter2" not in f"{database.engine!r} {database.engine.url!r}"


def test_a_database_made_on_first_use_is_ready(tmp_path: Path) -> None:
    """`prepare` makes it, and a second start finds it as it is."""
    url = f"sqlite:///{tmp_path}/rotator.db"
    fill(url)
    fill(url)
    database = open_database(url)
    schema.check(database)
    assert started(database)[2].number == 1
    database.close()


def test_opening_a_file_twice_takes_no_lock_away(tmp_path: Path) -> None:
    """A second door to the same file in this process, then another process that opens and closes it: the first door's
    log is still there, as is what it wrote. (Closing any handle of a file drops the locks of the whole process.)"""
    url = f"sqlite:///{tmp_path}/rotator.db"
    first = open_database(url)
    schema.prepare(first)
    with first.engine.connect() as held:
        held.exec_driver_sql("SELECT 1 FROM audit_head")
        open_database(url).close()
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT 1 FROM audit_head').fetchall()"
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "rotator.db")], check=True)
        assert (tmp_path / "rotator.db-wal").exists()
        assert held.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    first.close()
