"""A daemon that has nothing to do: 5,000 apps in 50 orgs, each rotated not long ago. Memory, CPU, start to ready."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from rotator.adapters.sql import schema
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.leases import NEW
from rotator.adapters.sql.rows import to_row
from rotator.adapters.sql.tables import consumers, rotations
from rotator.domain.pair import Consumer, Target
from rotator.domain.rotation import Policy, Rotation, Who
from rotator.domain.words import State, Trigger
from rotator.process import Stop, SystemClock
from tests.daemon.fleet import Running, listening
from tools.bench.process import python

Json = dict[str, Any]
MEMORY_MB, CPU_SHARE, READY_S = 120, 0.01, 2.0  # goals
WARM_S = 10.0  # after ready, before it is watched
TICKS = os.sysconf("SC_CLK_TCK")
HEAD = """\
state_dir = "{folder}"
[vault]
address = "http://127.0.0.1:9"
insecure = true
auth = {{ method = "token", token_file = "vault-token" }}
[control]
socket = "{folder}/control.sock"
[timing]
sweep = "0s"
"""
ORG = """
[orgs.org{org}]
host = "http://127.0.0.1:9"
insecure = true
admin = {{ grant = "client_credentials", vault_path = "salesforce/org{org}/rotator" }}
"""
APP = """
[apps.app{app}]
org = "org{org}"
app = "App_{app}"
vault_path = "salesforce/org{org}/app{app}"
schedule = {{ every = "30d", window = "Sun 02:00-05:00", timezone = "Europe/Berlin" }}
"""


def idle(apps: int, orgs: int, seconds: float, starts: int) -> Json:
    """The figures of a daemon that waits; nothing but its own ticks happens. Memory in MB of 1024² bytes."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        config = configured(folder, apps, orgs)
        furnish(folder / "rotator.db", apps, orgs)
        found = [start(config, number) for number in range(starts)]
        memory, cpu = watched(config, seconds)
    ready, cpus = zip(*found, strict=True)
    median = statistics.median(ready)
    return {
        "apps": apps, "orgs": orgs,
        "memory": {"goal_mb": MEMORY_MB, "met": memory < MEMORY_MB, "mb": round(memory, 1)},
        "cpu": {"goal_share": CPU_SHARE, "met": cpu < CPU_SHARE, "share": round(cpu, 4), "watched_s": seconds},
        "ready": {"goal_s": READY_S, "met": median < READY_S, "median_s": round(median, 3),
                  "worst_s": round(max(ready), 3), "cpu_s": round(statistics.median(cpus), 3)},
    }  # fmt: skip


def configured(folder: Path, apps: int, orgs: int) -> Path:
    """Writes the configuration."""
    token = folder / "vault-token"
    token.touch(0o600)
    token.write_text("none")
    config = folder / "rotator.toml"
    told = [HEAD.format(folder=folder), *(ORG.format(org=org) for org in range(orgs))]
    config.write_text("".join([*told, *(APP.format(app=app, org=app % orgs) for app in range(apps))]))
    return config


def furnish(file: Path, apps: int, orgs: int) -> None:
    """A database in which each app was rotated within the last days."""
    database = Database(f"sqlite:///{file}", clock=SystemClock(Stop()))
    schema.prepare(database)
    made = [rotated(app, app % orgs) for app in range(apps)]

    def work(connection: Connection) -> None:
        names = [{"org_id": row.consumer.org_id, "consumer_id": row.consumer.consumer_id} for row in made]
        connection.execute(insert(consumers), [{**NEW, **name, "lease_until": None} for name in names])
        connection.execute(insert(rotations), [to_row(row) for row in made])

    database.write(work)
    database.close()


def rotated(app: int, org: int) -> Rotation:
    """A rotation that is done."""
    at = datetime.now(UTC) - timedelta(hours=1 + app % 200)
    consumer = Consumer(f"00D{org:012d}AAA", f"0xI{app:012d}AAA", f"888{app:012d}AAA", f"App_{app}")
    target = Target(f"salesforce/org{org}/app{app}", "client_id", "client_secret", "http://127.0.0.1:9", f"app{app}")
    return Rotation(id=f"01{app:024d}", app=f"app{app}", org=f"org{org}", consumer=consumer, target=target,
                    policy=Policy(), who=Who("rotator", "daemon"), trigger=Trigger.SCHEDULED, state=State.DONE,
                    old_keys=("old",), new_key=f"new{app}", started_at=at, ended_at=at, retired_at=at,
                    proven=True)  # fmt: skip


def daemon(config: Path, name: str) -> AbstractContextManager[Running]:
    """The product's own command."""
    command = python("-m", "rotator", "--config", str(config), "run")
    return listening(command, config.parent, name, {"WATCHDOG_USEC": ""})


def start(config: Path, number: int) -> tuple[float, float]:
    """Seconds from the start of the process to READY=1, and those of CPU, which other work does not spoil."""
    begun = time.monotonic()
    with daemon(config, f"start{number}") as one:
        one.ready()
        took, cpu = time.monotonic() - begun, used(one.process.pid)
        assert one.stop() == 0
    return took, cpu


def watched(config: Path, seconds: float) -> tuple[float, float]:
    """Resident memory in the end, and the share of one core over the time."""
    with daemon(config, "idle") as one:
        one.ready()
        time.sleep(WARM_S)
        pid, before, begun = one.process.pid, used(one.process.pid), time.monotonic()
        time.sleep(seconds)
        share = (used(pid) - before) / (time.monotonic() - begun)
        status = Path(f"/proc/{pid}/status").read_text()
        memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024
        assert one.stop() == 0
    return memory, share


def used(pid: int) -> float:
    """Seconds of CPU that the process has taken (proc(5))."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / TICKS
