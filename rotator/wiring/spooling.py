"""A force while the database is away: by break-glass, into a spool of each org, merged once the database is back."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rotator import log
from rotator.adapters.sql.spool import SpoolLedger
from rotator.adapters.sql.spool_merge import merge
from rotator.domain.errors import ConfigError, LedgerUnavailable
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Outcome, Phase, Trigger
from rotator.ports import Lease
from rotator.saga.opening import open_rotation
from rotator.saga.seen import Picture
from rotator.wiring.asking import owner
from rotator.wiring.connections import Connections
from rotator.wiring.errand import Errand, Setting, Until, Way, attend
from rotator.wiring.force import Order
from rotator.wiring.own import must_be_ordinary
from rotator.wiring.settings import forced_policy, target_of

LOG = log.get("spool")


def away(connections: Connections, who: Who) -> bool:
    """Whether the database takes no row (it does not answer, its disk is full or read-only, it is a replica), and the
    configuration has a spool to go on with. Only a row that was committed tells: reading works on a full disk too."""
    if not connections.config.audit.spool:
        return False
    try:
        connections.trail.record(Event("check", Phase.OBSERVE, Outcome.OK, evidence={"takes_rows": True}), who)
    except LedgerUnavailable:
        return True
    return False


def force(connections: Connections, setting: Setting, apps: Iterable[str], order: Order) -> list[Errand]:
    """As `wiring.force.force`, without the database: no evidence is gathered, no anchor made, nobody told; the org is
    believed to be the one at its host. What a spool began is resumed.

    Raises ConfigError for a folder that cannot be used, LedgerUnavailable where another process works on it.
    """
    names = list(apps)
    with ExitStack() as stack:
        spools = {org: _spool(connections, org) for org in sorted({connections.apps[n].org for n in names})}
        for spool in spools.values():
            stack.callback(spool.close)
        errands = [_errand(connections, setting, name, order, spools[connections.apps[name].org])
                   for name in names]  # fmt: skip
        attend(errands, setting)
    return errands


def _errand(connections: Connections, setting: Setting, name: str, order: Order, spool: SpoolLedger) -> Errand:
    way = partial(_way, connections, name, order, spool)
    return Errand(replace(setting, owner=owner()), name, Until.DONE, way)


def _way(connections: Connections, name: str, order: Order, spool: SpoolLedger) -> Way:
    app = connections.app(name)
    must_be_ordinary(name, app)
    ports = connections.ports(app.org, ledger=spool)
    consumer = ports.salesforce.find(app.app, app.consumer)
    target = target_of(name, app, connections.config.orgs[app.org].host)

    def begin(lease: Lease) -> tuple[Rotation, Picture]:
        policy = forced_policy(app, including_users=order.including_users)
        return open_rotation(ports, lease, app=name, org=app.org, consumer=consumer, target=target, policy=policy,
                             who=order.who, trigger=Trigger.FORCE)  # fmt: skip

    return Way(ports, consumer, begin, trigger=Trigger.FORCE)


def _spool(connections: Connections, org: str) -> SpoolLedger:
    folder = Path(connections.config.audit.spool)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}", fix="name a folder that the rotator may make",
                          where="audit.spool") from None  # fmt: skip
    return SpoolLedger(folder / f"{org}.jsonl", partial(datetime.now, UTC), connections.config.orgs[org].stated_facts())


def merge_spools(connections: Connections) -> int:
    """What was spooled comes into the trail, by whoever begins first once the database is back; gives how many rows.
    One that somebody works on waits. Raises InvariantBroken for one that was changed."""
    folder, rows = connections.config.audit.spool, 0
    for file in sorted(Path(folder).glob("*.jsonl")) if folder else ():
        with suppress(LedgerUnavailable):
            rows += merge(connections.database, connections.context, file)
            LOG.warning(log.Word.SPOOL_MERGED, file=file, count=rows)
    return rows
