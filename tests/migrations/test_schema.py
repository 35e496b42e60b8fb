"""The schema: made on first use, checked at the start, upgraded when told to, the same as the tables of the code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from rotator.adapters.sql import schema
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.guard import unguarded
from rotator.adapters.sql.survey import survey
from rotator.adapters.sql.tables import metadata
from rotator.domain.errors import ConfigError, InvariantBroken
from rotator.resources import data_dir
from tests.contract.ledger_ports import KINDS, open_database
from tests.servers.postgres import RealPostgres
from tests.unit.sql.support import ROOT, raw, started


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/rotator.db"
        return
    server: RealPostgres = request.getfixturevalue("real_postgres")
    url = server.database()
    yield url
    server.drop(url)


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    opened = open_database(empty_url)
    yield opened
    opened.close()


def test_an_empty_database_is_made_on_first_use(database: Database) -> None:
    """After `prepare` a rotation can be opened; a plain `check` of an empty one names the command."""
    with pytest.raises(ConfigError) as caught:
        schema.check(database)
    assert "rotator db upgrade" in caught.value.fix
    schema.prepare(database)
    schema.check(database)
    assert started(database)[2].number == 1


def test_an_upgrade_tells_what_it_found(database: Database) -> None:
    """Nothing the first time, the present revision the second; twice is once."""
    assert schema.upgrade(database) == ""
    assert schema.upgrade(database) == schema.HEAD
    schema.check(database)


def test_migrations_build_the_tables_of_the_code(database: Database) -> None:
    """Alembic's own comparison finds no difference, types included."""
    schema.upgrade(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_constraints_are_the_same_in_migrations_and_tables(database: Database, tmp_path: Path) -> None:
    """Check constraints, keys and unique indexes too, which Alembic does not compare."""
    schema.upgrade(database)
    other = open_database(f"sqlite:///{tmp_path}/tables.db")
    with other.engine.begin() as connection, unguarded(connection):
        metadata.create_all(connection)
    for table in metadata.tables:
        assert constraints(database, table) == constraints(other, table)
    other.close()


def constraints(database: Database, table: str) -> dict[str, object]:
    found = inspect(database.engine)
    return {
        "checks": sorted(str(check["name"]) for check in found.get_check_constraints(table)),
        "key": found.get_pk_constraint(table)["constrained_columns"],
        "foreign": [(key["constrained_columns"], key["referred_table"]) for key in found.get_foreign_keys(table)],
        "indexes": sorted((str(index["name"]), bool(index["unique"])) for index in found.get_indexes(table)),
        "nullable": {column["name"]: column["nullable"] for column in found.get_columns(table)},
    }


def test_tables_of_sqlite_are_strict(tmp_path: Path) -> None:
    """A number in a text column is refused, not kept."""
    database = open_database(f"sqlite:///{tmp_path}/rotator.db")
    schema.upgrade(database)
    database.close()
    found = raw(f"sqlite:///{tmp_path}/rotator.db", "SELECT sql FROM sqlite_master WHERE type = 'table'")
    ours = [sql for (sql,) in found if "alembic_version" not in sql]
    assert len(ours) == len(metadata.tables)
    assert all(sql.rstrip().endswith("STRICT") for sql in ours)


def test_the_code_knows_every_migration() -> None:
    """schema.REVISIONS is the line of migrations/versions, oldest first, without a fork."""
    config = Config()
    config.set_main_option("script_location", str(data_dir("migrations")))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == schema.REVISIONS
    assert scripts.get_heads() == [schema.HEAD]


def test_an_older_schema_is_refused_with_the_command(database: Database) -> None:
    """A known, earlier revision: nothing is changed, `rotator db upgrade` is named, exit code 2."""
    schema.upgrade(database)
    with pytest.raises(ConfigError, match=f"has schema {schema.HEAD}, this version needs 9999") as caught:
        database.read(lambda connection: schema.refuse_wrong(connection, schema.HEAD, (*schema.REVISIONS, "9999")))
    assert "rotator db upgrade" in caught.value.fix
    assert caught.value.exit_code == 2


def test_the_first_schema_is_brought_to_this_version(database: Database) -> None:
    """A database of version 0001 with a rotation in it: refused, then upgraded with the rotation kept."""

    def first(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(data_dir("migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    database.write(first)
    number = started(database)[2].number
    with pytest.raises(ConfigError, match="has schema 0001"):
        schema.prepare(database)
    assert schema.upgrade(database) == "0001"
    schema.check(database)
    assert number == len(survey(database).open) == 1


@pytest.mark.parametrize("act", [schema.check, schema.prepare, schema.upgrade])
def test_a_newer_schema_is_refused_by_every_way(database: Database, empty_url: str, act: object) -> None:
    """An unknown revision is of a newer version, which the message says; an upgrade does not touch it either."""
    schema.upgrade(database)
    raw(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="newer than this version") as caught:
        act(database)  # type: ignore[operator] # one of the three functions
    assert "install the newer version" in caught.value.fix
    assert raw(empty_url, "SELECT version_num FROM alembic_version") == [("9999",)]


@pytest.mark.parametrize("act", [schema.check, schema.prepare, schema.upgrade])
def test_the_database_of_another_program_is_left_alone(database: Database, empty_url: str, act: object) -> None:
    """Tables that are not ours: refused, and nothing is added."""
    raw(empty_url, "CREATE TABLE customers (id integer)")
    with pytest.raises(ConfigError, match="another program"):
        act(database)  # type: ignore[operator] # one of the three functions
    assert inspect(database.engine).get_table_names() == ["customers"]


def test_several_first_users_make_one_schema(database: Database, empty_url: str) -> None:
    """Three processes start on an empty database at once: one makes it, the others wait, all go on."""
    code = "import sys; from tests.contract.ledger_ports import fill; fill(sys.argv[1])"
    start = [sys.executable, "-c", code, empty_url]
    running = [subprocess.Popen(start, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    schema.check(database)
    assert raw(empty_url, "SELECT count(*) FROM audit_head") == [(1,)]


def test_a_failed_upgrade_leaves_nothing_behind(database: Database, empty_url: str) -> None:
    """One transaction: a table in the way stops it, and no other table was made."""
    raw(empty_url, "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)", "CREATE TABLE orgs (id integer)")
    with pytest.raises((ConfigError, InvariantBroken)):
        schema.upgrade(database)
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version", "orgs"}


def test_alembic_alone_is_sent_to_our_command() -> None:
    """The migrations run on the connection and under the lock of `rotator db upgrade`, not by another way."""
    config = Config()
    config.set_main_option("script_location", str(data_dir("migrations")))
    with pytest.raises(SystemExit, match="rotator db upgrade"):
        command.upgrade(config, "head")
