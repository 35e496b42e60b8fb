"""The row of the trail for a configuration that was refused: at a reload, or at the daemon's start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from rotator.adapters.sql import hosts, schema
from rotator.adapters.sql.audit import Context, Trail
from rotator.adapters.sql.database import Database
from rotator.config import DatabaseConfig, SecretPlaces, digests, read_secret_file, stated_database
from rotator.domain.errors import ConfigError, RotatorError
from rotator.domain.event import Event
from rotator.domain.rotation import Who
from rotator.domain.words import Outcome, Phase
from rotator.ports import Clock
from rotator.wiring.connections import Connections

MOST_NAMED = 50  # mistakes in one row


def refused(config: Path, error: RotatorError) -> Event:
    """The row: the code, each file with its SHA-256, and where its mistakes stand (file and line). What is written
    there is not repeated: it may be what should not have been written."""
    mistakes = error.mistakes if isinstance(error, ConfigError) else ()
    places = [f"{one.file}:{one.line or 0}" for one in mistakes[:MOST_NAMED]]
    evidence = {"code": error.code, "files": digests(config), "mistakes": len(mistakes), "places": places}
    return Event("config", Phase.DECISION, Outcome.REFUSED, error=error.message, evidence=evidence)


def note_reload(old: Connections, who: Who, error: RotatorError) -> None:
    """A reload was refused, and the old configuration stays. Raises as every write."""
    old.trail.record(refused(old.loaded.files[0], error), who)


@contextmanager
def noted(config: Path, env: Mapping[str, str], who: Who, clock: Clock, here: Context,
          become: Callable[[str], None]) -> Iterator[None]:
    """Around the reading of the first configuration: a refusal passes through, with a row where the database that it
    names can be told, is there, and is one of this version; nothing is made for it. `become` turns this process into
    the owner of a database."""
    try:
        yield
    except ConfigError as error:
        with suppress(RotatorError, OSError):
            told, event = stated_database(config, env), refused(config, error)
            if told is not None and _there(told[0].url):
                become(told[0].url)
                _note_start(*told, clock, here, who, event)
        raise


def _note_start(database: DatabaseConfig, places: SecretPlaces, clock: Clock, here: Context, who: Who,
                event: Event) -> None:  # fmt: skip
    password = partial(read_secret_file, database.password_file, places) if database.password_file else None
    opened = Database(database.url, clock=clock, password=password)
    try:
        schema.check(opened)
        hosts.admit(opened, hosts.Host.this(here.host), here)
        Trail(opened, here).record(event, who)
    finally:
        opened.close()


def _there(url: str) -> bool:
    """Whether this database is, and would not be made: a SQLite file of ours. Others tell when they are asked."""
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).is_file()
