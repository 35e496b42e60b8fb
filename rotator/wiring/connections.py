"""What one process holds open: the database, the Vault, one client per org. Opened when first asked for."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial

from rotator.adapters.answer import Exchange, Listener
from rotator.adapters.http import Http
from rotator.adapters.salesforce import AdminCredentials, SalesforceOrg
from rotator.adapters.sql import schema
from rotator.adapters.sql.approvals import Approvals
from rotator.adapters.sql.audit import Context, Trail
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.hosts import Host, admit
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.orgs import Orgs
from rotator.adapters.sql.outbox import Outbox
from rotator.adapters.tls import tls_context
from rotator.adapters.vault import VaultClient, VaultKv
from rotator.config import AppConfig, ClientCredentials, Config, JwtBearer, Loaded, read_secret_file
from rotator.config.own import Identity, own_apps, split
from rotator.domain.errors import ConfigError, RotatorError, UsageError
from rotator.domain.notice import Routes, nobody
from rotator.domain.rotation import Who
from rotator.domain.session import Usage
from rotator.ports import Clock, Ledger, Record
from rotator.saga.worker import Ports
from rotator.wiring.naming import nearest
from rotator.wiring.outside import OWN, Budget, Outside, Spent
from rotator.wiring.routes import routes_of
from rotator.wiring.settings import credentials_of, file_or_none, vault_options


class StatedLedger(SqlLedger):
    """The ledger with what the configuration states of an org laid over what was seen there (protocol section 6)."""

    def __init__(self, database: Database, context: Context, stated: Mapping[str, str],
                 routes: Routes = nobody) -> None:
        super().__init__(database, context, routes)
        self._stated = stated

    def read(self, org_id: str, consumer_id: str) -> Record:
        record = super().read(org_id, consumer_id)
        return replace(record, facts=record.facts.merged(self._stated))


class Connections:
    """Everything that a configuration leads to. Threads may share it; close it in the end."""

    def __init__(self, loaded: Loaded, clock: Clock, *, host: str, version: str,
                 outside: Outside | None = None) -> None:
        self.loaded, self.clock = loaded, clock
        self.outside = outside or Outside(Spent(clock.monotonic))
        self.context = Context(host=host, version=version, config_hash=loaded.hash)
        self.here = Host.this(host)
        self._orgs: dict[tuple[str, str, str], SalesforceOrg] = {}  # name, host, identity
        self._opening = threading.RLock()  # two threads that meet an org at once open it once

    @property
    def config(self) -> Config:
        return self.loaded.config

    # --- the database

    @cached_property
    def bare_database(self) -> Database:
        """The database as it is: its schema is not looked at."""
        told = self.config.database
        password = partial(read_secret_file, told.password_file, self.loaded.places) if told.password_file else None
        return Database(told.url, clock=self.clock, password=password)

    @cached_property
    def database(self) -> Database:
        """The database, made where it is empty. Raises ConfigError for an older or newer schema, OtherHost for a
        SQLite file that another machine uses."""
        database = self.bare_database
        schema.prepare(database)
        admit(database, self.here, self.context)
        return database

    def now(self) -> datetime:
        """The database's clock, which all deadlines follow."""
        return self.database.read(self.database.now)

    @cached_property
    def ledger(self) -> SqlLedger:
        """For what concerns no single org: lists, abandon, release."""
        return SqlLedger(self.database, self.context, self.routes)

    @cached_property
    def trail(self) -> Trail:
        return Trail(self.database, self.context)

    @cached_property
    def routes(self) -> Routes:
        """Who is told of what."""
        return routes_of(self.config)

    @cached_property
    def outbox(self) -> Outbox:
        """What waits to be told."""
        return Outbox(self.database, self.context.host, self.routes)

    @cached_property
    def approvals(self) -> Approvals:
        """What waits for a second person."""
        return Approvals(self.database, self.context, self.routes)

    @cached_property
    def pins(self) -> Orgs:
        """The org ids that were met under the configuration's names."""
        return Orgs(self.database, self.context)

    # --- the outside

    @cached_property
    def vault(self) -> VaultClient:
        return VaultClient(vault_options(self.config, self.loaded.places), heard=self._hears(""))

    @cached_property
    def apps(self) -> Mapping[str, AppConfig]:
        """What is rotated: the apps of the configuration, then the rotator's own pairs (`ORG/admin`, `ORG/spare`)."""
        return {**self.config.apps, **own_apps(self.config)}

    def app(self, name: str) -> AppConfig:
        """The app of this name. Raises UsageError with the nearest known one."""
        if name in self.apps:
            return self.apps[name]
        org, identity = split(name)
        if org in self.config.orgs:
            raise UsageError(f"the rotator's own pair {name} cannot be rotated: it needs a second identity, and a pair"
                             " that lies in Vault", code="no_spare",
                             fix=f"set `spare` in [orgs.{org}], and `vault_path` in its {identity}")  # fmt: skip
        raise UsageError(f"no app is called {name}{nearest(name, self.apps)}", code="unknown_app",
                         fix="see [apps] in the configuration, or `rotator status`")  # fmt: skip

    def org(self, name: str, host: str = "", *, pinned: bool = True, by: Identity = "admin") -> SalesforceOrg:
        """The org of this name; `host` where an open rotation froze another one; seen with the identity `by`. Pinned to
        the org id that the configuration states, else to that of the first contact (unless the database cannot be
        asked). Raises ConfigError where there is no such identity."""
        told = self.config.orgs[name]
        login = told.logins.get(by)
        if login is None:
            raise ConfigError(f"orgs.{name} has no `{by}`, and the rotator's own pair is rotated with it",
                              fix=f"put `{by}` back into [orgs.{name}]", where=f"orgs.{name}.{by}")  # fmt: skip
        return self._opened(name, host or told.host, by, login, told.responder, pinned=pinned)

    def responder(self, name: str) -> SalesforceOrg:
        """The same org, seen with the responder's identity alone: no login of `admin`, which may lie in Vault."""
        told = self.config.orgs[name]
        return self._opened(name, told.host, "responder", told.responder or told.admin, None)

    def _opened(self, name: str, host: str, identity: str, login: ClientCredentials | JwtBearer,
                responder: ClientCredentials | JwtBearer | None, *, pinned: bool = True) -> SalesforceOrg:
        place = (name, host, identity)
        with self._opening:
            if place not in self._orgs:
                self._orgs[place] = self._open(name, host, login, responder, pinned=pinned)
            return self._orgs[place]

    def _open(self, name: str, host: str, login: ClientCredentials | JwtBearer,
              responder: ClientCredentials | JwtBearer | None, *, pinned: bool) -> SalesforceOrg:
        told = self.config.orgs[name]
        return SalesforceOrg(
            Http(host, tls=tls_context(file_or_none(told.ca_file, self.loaded.places)),
                 proxy=told.egress_proxy or None, heard=self._hears(name)),
            credentials=partial(self._own_login, name, login),
            responder=partial(self._own_login, name, responder) if responder else None,
            version=told.api_version,
            monotonic=self.clock.monotonic,
            org_id=told.org_id or (self.pins.pinned(name) if pinned else ""),
        )  # fmt: skip

    def _hears(self, side: str) -> Listener:
        """Who is told of the calls to a far side; looked up at each call, for a daemon that begins to count later."""

        def heard(exchange: Exchange) -> None:
            self.outside.heard(side, exchange)

        return heard

    def forget(self, org: str) -> None:
        """Closes what is open of an org: the next call logs in anew."""
        with self._opening:
            for place in [place for place in self._orgs if place[0] == org]:
                with contextlib.suppress(RotatorError):
                    self._orgs.pop(place).close()

    def usage(self, org: str) -> Usage | None:
        """How much of its daily API requests an org has used, as the latest answer of it said; None where none did."""
        found = [one.usage for (name, *_), one in tuple(self._orgs.items()) if name == org]
        return max((usage for usage in found if usage is not None), key=lambda u: u.read_at, default=None)

    def _own_login(self, name: str, login: ClientCredentials | JwtBearer) -> AdminCredentials:
        self.outside.spent.add(name, OWN)
        in_vault = getattr(login, "vault_path", None) is not None
        return credentials_of(login, self.loaded.places, self.vault if in_vault else None)

    def met(self, name: str, org_id: str, who: Who) -> None:
        """Pins an org at first contact. Raises ConfigError where it is another org than before."""
        if not self.config.orgs[name].org_id:
            self.pins.pin(name, org_id, who)

    def ports(self, org: str, host: str = "", ledger: Ledger | None = None, by: Identity = "admin") -> Ports:
        """The outside as a rotation in this org sees it with the identity `by`; `ledger` where it is not the
        database's."""
        stated = self.config.orgs[org].stated_facts()
        there = self.org(org, host, pinned=ledger is None, by=by)
        kept = ledger or StatedLedger(self.database, self.context, stated, self.routes)
        budget = Budget(self.outside, org, self.config.limits.logins_per_hour)
        return Ports(there, VaultKv(self.vault), kept, self.clock, budget)

    def close(self) -> None:
        """Closes whatever was opened; never fails."""
        for org in self._orgs.values():
            with contextlib.suppress(RotatorError):
                org.close()
        if "vault" in self.__dict__:
            self.vault.close()
        if "bare_database" in self.__dict__:
            self.bare_database.close()
