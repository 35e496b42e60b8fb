"""What is known of orgs: the id that each name was pinned to, and the facts that were seen there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from rotator.adapters.sql.audit import Context, Subject, append
from rotator.adapters.sql.database import Database, moment
from rotator.adapters.sql.tables import org_facts, orgs
from rotator.domain.errors import ConfigError
from rotator.domain.event import Event
from rotator.domain.facts import Facts
from rotator.domain.ids import sortable_id
from rotator.domain.rotation import Who
from rotator.domain.words import Outcome, Phase


def facts(connection: Connection, org_id: str) -> Facts:
    """What was seen of this org."""
    chosen = select(org_facts.c.fact, org_facts.c.value).where(org_facts.c.org_id == org_id)
    return Facts({row.fact: row.value for row in connection.execute(chosen)})


def learn(connection: Connection, org_id: str, learned: Mapping[str, str], how: str, now: datetime) -> None:
    """Writes down what was seen, over what was seen before."""
    make: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for fact, value in learned.items():
        told = {"value": value, "seen_at": moment(now), "how": how}
        statement = make(org_facts).values(org_id=org_id, fact=fact, **told)
        keys = [org_facts.c.org_id, org_facts.c.fact]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=told))


@dataclass(frozen=True, slots=True)
class FactSeen:
    """One fact of an org with its source: when it was seen, and how."""

    fact: str
    value: str
    seen_at: str
    how: str


class Orgs:
    """The orgs of one database."""

    def __init__(self, database: Database, context: Context) -> None:
        self.database = database
        self.context = context

    def facts(self, org_id: str) -> Facts:
        """What was seen of this org; the configuration's statements are not in it."""
        return self.database.read(lambda connection: facts(connection, org_id))

    def seen(self, org_id: str) -> tuple[FactSeen, ...]:
        """The same with when and how, by name."""
        told = (org_facts.c.fact, org_facts.c.value, org_facts.c.seen_at, org_facts.c.how)
        ordered = select(*told).where(org_facts.c.org_id == org_id).order_by(org_facts.c.fact)
        return self.database.read(lambda connection: tuple(FactSeen(*row) for row in connection.execute(ordered)))

    def learn(self, org_id: str, learned: Mapping[str, str], how: str) -> None:
        """Writes down facts that were seen outside a rotation (calibrate)."""
        self.database.write(lambda connection: learn(connection, org_id, learned, how, self.database.now(connection)))

    def pinned(self, name: str) -> str:
        """The org id that this name of the configuration stands for since first contact; "": no contact yet."""
        chosen = select(orgs.c.org_id).where(orgs.c.name == name)
        return self.database.read(lambda connection: str(connection.execute(chosen).scalar() or ""))

    def pin(self, name: str, org_id: str, who: Who | None = None) -> None:
        """Pins the name to this id at first contact, with a row in the trail; later only compares.

        Raises ConfigError where the host leads to another org than before: the answer of a wrong org is believed in
        nothing.
        """
        event = Event("check", Phase.DECISION, Outcome.OK, evidence={"pinned_org_id": org_id}, id=sortable_id())

        def work(connection: Connection) -> str:
            now = self.database.now(connection)
            make: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            row = make(orgs).values(name=name, org_id=org_id, pinned_at=moment(now)).on_conflict_do_nothing()
            if connection.execute(row.returning(orgs.c.name)).first():  # several meet it at once: one is first
                append(connection, now, self.context, who or Who(), Subject(org=name), event)
            return str(connection.execute(select(orgs.c.org_id).where(orgs.c.name == name)).scalar_one())

        found = self.database.write(work)
        if found != org_id:
            raise ConfigError(
                f"org {name} is {org_id} now, and was {found} at first contact",
                fix=f'correct `host` under [orgs.{name}]; if the org was really replaced: `org_id = "{org_id}"`',
                where=f"orgs.{name}.host",
            )
