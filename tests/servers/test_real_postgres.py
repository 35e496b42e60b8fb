"""The helpers that start a real PostgreSQL do what their names say."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from tests.servers.postgres import RealPostgres


def test_every_test_gets_an_empty_database(real_postgres: RealPostgres) -> None:
    """What one database holds the next one does not."""
    first, second = real_postgres.database(), real_postgres.database()
    real_postgres.execute(first, "CREATE TABLE t (a int)")
    seen = real_postgres.execute(second, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    assert seen == [(0,)]


def test_a_clone_holds_what_was_prepared_once(real_postgres: RealPostgres) -> None:
    """The template is prepared for the first clone only, and clones do not see each other's rows."""
    prepared: list[str] = []

    def prepare(url: str) -> None:
        prepared.append(url)
        real_postgres.execute(url, "CREATE TABLE t (a int)")

    first, second = (real_postgres.clone("clone-test", prepare) for _ in range(2))
    real_postgres.execute(first, "INSERT INTO t VALUES (%s)", 1)
    assert real_postgres.execute(first, "SELECT a FROM t") == [(1,)]
    assert real_postgres.execute(second, "SELECT a FROM t") == []
    assert len(prepared) == 1


def test_sqlalchemy_takes_the_url_as_it_stands(postgres_url: str) -> None:
    """The URL names the driver and holds no password, as the product's configuration wants it."""
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
    assert postgres_url.startswith("postgresql+psycopg://")
    assert "/rotator_test_" in postgres_url
