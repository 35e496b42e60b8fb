"""One SQLite file, one machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.hosts import DEAD, Admission, Host, take_over
from rotator.adapters.sql.pauses import Pauses
from rotator.domain.errors import OtherHost, UsageError
from rotator.domain.pause import Scope
from rotator.domain.rotation import Who
from tests.contract.ledger_ports import CONTEXT, MovedTime, open_database
from tests.unit.sql.support import raw, trail_of

HERE, THERE = Host("boot-1", "machine-1", "alpha"), Host("boot-2", "machine-2", "beta")
ANN = Who("ann", "cli")


@pytest.fixture
def time() -> MovedTime:
    return MovedTime()


@pytest.fixture
def database(sqlite_url: str, time: MovedTime) -> Iterator[Database]:
    opened = open_database(sqlite_url, time)
    yield opened
    opened.close()


def write(database: Database, host: Host | Admission) -> None:
    """A change by a process on this machine."""
    database.admit = host if isinstance(host, Admission) else Admission(database, host, CONTEXT)
    Pauses(database, CONTEXT).begin(Scope.ALL, "", "", ANN)


def test_a_second_machine_is_refused_while_the_first_lives(database: Database, time: MovedTime) -> None:
    """It changes nothing, and is told which machine, since when, and what to do; a look alone is refused too. The first
    goes on. (Planted: an admission that lets everyone in.)"""
    write(database, HERE)
    time.advance(299)
    rows = len(list(trail_of(database).history()))
    with pytest.raises(OtherHost, match=r"in use by the host alpha \(seen 299 s ago\)") as caught:
        write(database, THERE)
    assert caught.value.exit_code == 2
    assert ("PostgreSQL" in caught.value.fix, "--take-over" in caught.value.fix) == (True, True)
    with pytest.raises(OtherHost):
        database.read(Admission(database, THERE, CONTEXT).look)
    assert len(list(trail_of(database).history())) == rows
    write(database, HERE)


def test_a_machine_that_is_dead_for_five_minutes_is_taken_over_from(database: Database, time: MovedTime) -> None:
    """With a row in the trail; and if it was only frozen it is refused when it wakes."""
    frozen = Admission(database, HERE, CONTEXT)
    write(database, frozen)
    time.advance(DEAD.total_seconds())
    write(database, THERE)
    (told,) = [row for row in trail_of(database).history() if row["step"] == "lease"]
    assert (told["evidence"]["database_of"], told["evidence"]["taken_by"]) == ("alpha", "beta")
    with pytest.raises(OtherHost, match="beta"):
        write(database, frozen)


def test_writing_keeps_a_machine_alive(database: Database, time: MovedTime) -> None:
    """Its row is renewed once a minute at most, and by every writer."""
    for _ in range(6):
        time.advance(60)
        write(database, HERE)
    with pytest.raises(OtherHost, match="seen 0 s ago"):
        write(database, THERE)


def test_a_reboot_is_no_second_machine_but_a_clone_is(database: Database) -> None:
    """The same machine with another boot id takes over at once, silently. A process that was at work before is then one
    on a clone: it is refused."""
    rebooted = replace(HERE, boot_id="boot-9")
    before = Admission(database, HERE, CONTEXT)
    write(database, before)
    write(database, before)
    write(database, rebooted)
    assert [row["step"] for row in trail_of(database).history()] == ["pause"] * 3
    with pytest.raises(OtherHost):
        write(database, before)


def test_a_person_takes_over_at_once(database: Database) -> None:
    """`db check --take-over`: the other machine is forgotten, and the trail says by whom."""
    write(database, HERE)
    assert take_over(database, THERE, CONTEXT, ANN) == ("alpha",)
    write(database, THERE)
    rows = [(row["step"], row["actor"]) for row in trail_of(database).history()]
    assert rows == [("pause", "ann"), ("lease", "ann"), ("pause", "ann")]
    assert take_over(database, THERE, CONTEXT, ANN) == ()


@pytest.mark.needs("postgres")
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_postgresql_serves_several_machines(url: str) -> None:
    """There is nothing to take over, and that is said."""
    opened = open_database(url)
    with pytest.raises(UsageError, match="serves several hosts"):
        take_over(opened, HERE, CONTEXT, ANN)
    opened.close()


def test_a_clock_behind_that_of_the_other_machine_refuses(database: Database, sqlite_url: str) -> None:
    """A row from the future belongs to somebody whose clock is ahead: alive."""
    write(database, HERE)
    raw(sqlite_url, "UPDATE hosts SET seen_at = '2027-01-01T00:00:00.000000Z'")
    with pytest.raises(OtherHost, match="seen 0 s ago"):
        write(database, THERE)


def test_a_machine_is_known_by_its_kernel(tmp_path: Path) -> None:
    """Boot id and machine id where Linux tells them; a container without a machine id has its kernel's; elsewhere the
    name has to do."""
    boot = tmp_path / "proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    assert Host.this("alpha", tmp_path) == Host("alpha", "alpha", "alpha")
    boot.write_text("b-1\n")
    assert Host.this("alpha", tmp_path) == Host("b-1", "b-1", "alpha")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("m-1\n")
    assert Host.this("alpha", tmp_path) == Host("b-1", "m-1", "alpha")


def test_a_container_that_was_booted_is_known_by_its_machine_id(tmp_path: Path) -> None:
    """The boot id looks otherwise from inside a service with a /proc of its own; both are one host."""
    for place, text in {"etc/machine-id": "m-1\n", "run/systemd/container": "lxc\n"}.items():
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text(text)
    inside = Host.this("alpha", tmp_path)
    boot = tmp_path / "proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text("b-1\n")
    assert Host.this("alpha", tmp_path) == inside == Host("m-1", "m-1", "alpha")
