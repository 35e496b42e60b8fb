"""One SQLite file, one machine: SQLite's locks and its write-ahead log hold on one kernel only.

Which machine uses the file stands in the file: a row per kernel (its boot id), renewed by whoever writes. Two kernels
at once are refused; one that was not seen for five minutes is dead, and may be taken over from. Containers of one
machine share its kernel, and its boot id; those that were booted like a machine count as one each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from rotator.adapters.sql.audit import Context, Subject, append
from rotator.adapters.sql.database import Database, instant, moment
from rotator.adapters.sql.tables import hosts
from rotator.domain.errors import OtherHost, UsageError
from rotator.domain.event import Event
from rotator.domain.policy import stamp
from rotator.domain.rotation import Who
from rotator.domain.words import Outcome, Phase

BEAT = timedelta(minutes=1)
DEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Host:
    """This kernel: its boot id (random at each boot), the machine's id (the same after a reboot), its name."""

    boot_id: str
    machine_id: str
    name: str

    @classmethod
    def this(cls, name: str, root: Path = Path("/")) -> Host:
        """As Linux tells (random(4), machine-id(5)); the name has to do where it does not."""
        boot = _line(root / "proc/sys/kernel/random/boot_id") or name
        machine = _line(root / "etc/machine-id") or boot
        # A container that was booted (systemd-nspawn, LXD) covers the boot id with one of its own, which a service
        # with a /proc of its own (ProtectProc=) does not see, while a command does.
        booted_container = (root / "run/systemd/container").exists()
        return cls(machine if booted_container else boot, machine, name)


def _line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


class Admission:
    """Asked at the begin of each transaction that changes something. `context` stands in the trail."""

    def __init__(self, database: Database, here: Host, context: Context) -> None:
        self.database, self.here, self.context = database, here, context
        self._known = False  # a row of ours was there

    def look(self, connection: Connection) -> None:
        """Changes nothing. Raises OtherHost where another machine is alive."""
        now = self.database.now(connection)
        for row in connection.execute(select(hosts)):
            if self._is_other(row) and alive(row, now):
                raise _refused(row, now)

    def __call__(self, connection: Connection) -> None:
        """The same, and renews our row; a dead machine's is taken over, with a row in the trail."""
        now = self.database.now(connection)
        rows = list(connection.execute(select(hosts)))
        mine = next((row for row in rows if row.boot_id == self.here.boot_id), None)
        for row in rows:
            if self._is_other(row) and alive(row, now):
                raise _refused(row, now)
        if mine is not None and instant(mine.seen_at) <= now < instant(mine.seen_at) + BEAT:
            self._known = True
            return
        self._renew(connection, now, [row for row in rows if row is not mine], new=mine is None)

    def _is_other(self, row: Row[Any]) -> bool:
        """Another kernel. One of this machine is ours of before a reboot; but if our own row was there and is not any
        more, it is a clone with the same machine id, which took over from us."""
        same = row.machine_id == self.here.machine_id and not self._known
        return row.boot_id != self.here.boot_id and not same

    def _renew(self, connection: Connection, now: datetime, others: list[Row[Any]], *, new: bool) -> None:
        for row in others:
            connection.execute(delete(hosts).where(hosts.c.boot_id == row.boot_id))
            if row.machine_id != self.here.machine_id:
                _tell(connection, now, self.context, Who("rotator"), row, self.here)
        if new:
            values = {"boot_id": self.here.boot_id, "machine_id": self.here.machine_id, "name": self.here.name}
            connection.execute(insert(hosts), {**values, "since": moment(now), "seen_at": moment(now)})
        else:
            mine = update(hosts).where(hosts.c.boot_id == self.here.boot_id)
            connection.execute(mine.values(seen_at=moment(now), name=self.here.name))


def admit(database: Database, here: Host, context: Context) -> None:
    """From now on each write asks whether this machine may use the SQLite file; PostgreSQL serves several.

    Raises OtherHost where another one uses it now.
    """
    if not database.postgres:
        admission = Admission(database, here, context)
        database.read(admission.look)
        database.admit = admission


def alive(row: Row[Any], now: datetime) -> bool:
    """Seen within five minutes; or later than now, for its clock may be another one."""
    return now - instant(row.seen_at) < DEAD


def take_over(database: Database, here: Host, context: Context, who: Who) -> tuple[str, ...]:
    """Forgets every other machine; gives their names. Raises UsageError on PostgreSQL, which serves several."""
    if database.postgres:
        raise UsageError("PostgreSQL serves several hosts: there is nothing to take over",
                         fix="leave --take-over out")  # fmt: skip

    def work(connection: Connection) -> tuple[str, ...]:
        now = database.now(connection)
        others = list(connection.execute(select(hosts).where(hosts.c.boot_id != here.boot_id)))
        for row in others:
            connection.execute(delete(hosts).where(hosts.c.boot_id == row.boot_id))
            _tell(connection, now, context, who, row, here)
        return tuple(row.name for row in others)

    return database.write(work)


def _tell(connection: Connection, now: datetime, context: Context, who: Who, row: Row[Any], here: Host) -> None:
    told = {"database_of": row.name, "seen_at": row.seen_at, "taken_by": here.name}
    append(connection, now, context, who, Subject(), Event("lease", Phase.DECISION, Outcome.OK, evidence=told))


def _refused(row: Row[Any], now: datetime) -> OtherHost:
    ago = max(0, round((now - instant(row.seen_at)).total_seconds()))
    return OtherHost(
        f"the database file is in use by the host {row.name} (seen {ago} s ago): SQLite serves one machine",
        fix=f"stop the rotator on {row.name}, or use PostgreSQL for both; if that machine is gone: wait until"
        f" {stamp(instant(row.seen_at) + DEAD + BEAT)}, or `rotator db check --take-over`",
        where="database.url",
    )
