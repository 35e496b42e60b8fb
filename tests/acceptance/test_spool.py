"""A compromise while the database is away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.acceptance.scene import Scene
from tests.servers.disk import mounted
from tests.servers.postgres import RealPostgres

AWAY = '[database]\nurl = "postgresql+psycopg://rotator@127.0.0.1:1/rotator"'
ORDER = ("force", "orders", "--reason", "leak", "--ticket", "INC-1", "--yes")


def configured(scene: Scene, database: str) -> None:
    scene.configure(database=database, billing="enabled = false")
    scene.config.write_text(scene.config.read_text() + f'[audit]\nspool = "{scene.folder}/spool"\n')


Break = Callable[[], None]
Way = Callable[[], AbstractContextManager[tuple[str, Break, Break]]]


@contextmanager
def full() -> Iterator[tuple[str, Break, Break]]:
    """SQLite on a disk that becomes full."""
    with mounted(4) as disk:
        yield f'[database]\nurl = "sqlite:///{disk.place}/rotator.db"', disk.fill, disk.free


@contextmanager
def read_only() -> Iterator[tuple[str, Break, Break]]:
    """SQLite on a disk that becomes read-only."""
    with mounted(4) as disk:
        yield (f'[database]\nurl = "sqlite:///{disk.place}/rotator.db"', disk.read_only,
               lambda: disk.read_only(False))  # fmt: skip


@pytest.mark.needs("disk")
@pytest.mark.parametrize("way", [full, read_only])
def test_a_database_that_takes_no_row_is_no_reason_to_wait(scene: Scene, way: Way) -> None:
    """SQLite on a full disk, and on one that is read-only: a force by break-glass is done and proven in the spool,
    any other waits (75). With the disk mended the next command merges it; the trail verifies."""
    with way() as (database, breaks, mends):
        lines, merged = does_not_wait(scene, database, breaks, mends)
    assert lines == merged


def test_a_postgresql_that_is_read_only_is_no_reason_to_wait(scene: Scene, real_postgres: RealPostgres,
                                                             postgres_url: str) -> None:  # fmt: skip
    """The same for `default_transaction_read_only`: a server that reads, and takes nothing."""

    def turn(word: str) -> Break:
        return lambda: real_postgres.settle(postgres_url, "default_transaction_read_only", word)

    lines, merged = does_not_wait(scene, f'[database]\nurl = "{postgres_url}"', turn("on"), turn("off"))
    assert lines == merged


def does_not_wait(scene: Scene, database: str, breaks: Break, mends: Break) -> tuple[set[str], set[str]]:
    """See the two tests; gives the hashes of the lines that were spooled, and of those that the trail has."""
    configured(scene, database)
    assert scene.json("rotate", "orders", "--dry-run").code == 0
    breaks()
    assert scene.json(*ORDER).code == 75
    done = scene.json(*ORDER, "--break-glass")
    assert (done.code, done.rotation["state"]) == (0, "done"), done.out + done.err
    assert set(done.rotation["claims"].values()) == {"proven"}
    lines = [json.loads(line) for line in (scene.folder / "spool" / "acme.jsonl").read_text().splitlines()]
    mends()
    assert scene.json("rotate", "orders", "--dry-run").code == 0
    rows = [row for row in scene.events("orders") if "spool" in row["evidence"]]
    assert {row["rotation_id"] for row in rows} == {done.rotation["rotation_id"]}
    assert scene.json("audit", "verify").told["ok"] is True
    return {line["hash"] for line in lines}, {row["evidence"]["spool"]["hash"] for row in rows}


def test_a_force_by_break_glass_needs_no_database_and_comes_into_the_trail_later(scene: Scene) -> None:
    """Done and proven without a database; the same order resumes; without --break-glass nothing is begun. The next
    command with a database merges it: rows flagged, chained, the rotation known, nothing twice."""
    configured(scene, AWAY)
    refused = scene.json(*ORDER)
    assert (refused.code, scene.calls()) == (75, []), refused.out
    done = scene.json(*ORDER, "--break-glass")
    assert (done.code, done.rotation["state"]) == (0, "done"), done.err
    assert "the database is away" in done.err
    assert set(done.rotation["claims"].values()) == {"proven"}
    spool = scene.folder / "spool" / "acme.jsonl"
    lines = len(spool.read_text().splitlines())
    assert not any(secret in spool.read_text() for secret in scene.secrets())
    configured(scene, "")
    assert scene.json("rotate", "orders", "--dry-run").code == 0
    rows = [row for row in scene.events("orders") if "spool" in row["evidence"]]
    assert (len(rows), {row["break_glass"] for row in rows}) == (lines, {True})
    assert {row["rotation_id"] for row in rows} == {done.rotation["rotation_id"]}
    assert not spool.exists()
    assert scene.json("db", "rebuild", "--dry-run").told["changed"] == []
    assert scene.json("audit", "verify").told["ok"] is True
