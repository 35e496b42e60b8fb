"""The union of all listings, laid over the configuration."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice

from rotator.adapters.inventory import Inventory, opened
from rotator.adapters.salesforce.census import Mentions
from rotator.adapters.sql.survey import survey
from rotator.checks.rights import TO_END_SESSIONS, held
from rotator.config import AppConfig
from rotator.domain.errors import ConfigError, RotatorError, UsageError
from rotator.domain.inventory import AppKind, Known, Owner, Source, Standing
from rotator.wiring.connections import Connections
from rotator.wiring.discovery.looks import Looks, Seen, Unseen
from rotator.wiring.discovery.words import document
from rotator.wiring.naming import nearest

SIDE_BY_SIDE = 8  # apps that are looked at at once
BATCH = 64  # apps that are in memory at once
MANAGE, MONITOR = "ManageUsers", "MonitorLoginHistory"
PARTLY = "what one listing hides, another may show; `rotator check` names missing permissions"
Progress = Callable[[int], None] | None


class Discovery:
    """One org's apps. `counts`: how many of each standing; `unseen`: what was not visible to us."""

    def __init__(self, connections: Connections, org: str, union: Inventory) -> None:
        self.org, self.unseen, self.counts = org, list[Unseen](), Counter[Standing]()
        self._connections, self._union = connections, union
        self._client = connections.org(org)
        seen = survey(connections.database)
        self._now, self._since = seen.now, seen.last

    def entries(self) -> Iterator[Mapping[str, object]]:
        """Every app in the words of `--json`, the pressing ones first."""
        return map(json.loads, self._union.kept())

    # --- the listings

    def read(self) -> None:
        """Reads every listing. Raises the first error where none could be read."""
        errors = []
        for source in Source:
            try:
                complete = self._fill(self._client.mentions(source))
            except RotatorError as error:
                errors.append(error)
                self.unseen.append(Unseen(source.value, error.message, error.fix))
            else:
                if not complete:
                    self.unseen.append(Unseen(source.value, "the org shows only a part of it", PARTLY))
        if len(errors) == len(Source):
            raise errors[0]
        self.unseen += self._narrow({one.what for one in self.unseen})
        if self._union.doubtful:
            self.unseen.append(Unseen("labels", f"{self._union.doubtful} rows of tokens and logins bear a label that"
                                      " several apps have", "give each app a label of its own"))

    def _narrow(self, known: Set[str]) -> Iterator[Unseen]:
        """Listings that show one's own rows alone, without a word, to who lacks a permission (reference 4.1, 9)."""
        try:
            has = held(self._client, self._client.responder_id, (*TO_END_SESSIONS, MONITOR))
        except RotatorError as error:
            yield Unseen("permissions", error.message, error.fix)
            return
        sees = {Source.TOKENS: has.issuperset(TO_END_SESSIONS), Source.LOGINS: MANAGE in has or MONITOR in has}
        needs = {Source.TOKENS: " and ".join(TO_END_SESSIONS), Source.LOGINS: f"{MANAGE} or {MONITOR}"}
        for source in (source for source, whole in sees.items() if not whole and source.value not in known):
            yield Unseen(source.value, "it may show the rotator's own rows alone: apps that only it names are missing,"
                         " and last uses", f"give the responder's user {needs[source]}")  # fmt: skip

    def _fill(self, mentions: Mentions) -> bool:
        while True:
            try:
                self._union.add(next(mentions))
            except StopIteration as end:
                return bool(end.value)

    # --- each app

    def look(self, progress: Progress = None) -> None:
        """Looks at the pairs of all apps, the managed ones first, as far as the org's API requests allow."""
        claims = self._claims()
        looks = Looks(self._connections, self.org)
        left, done = looks.allowance(), 0
        apps = self._union.apps(frozenset(claims))
        with ThreadPoolExecutor(SIDE_BY_SIDE, "discover") as pool:
            while batch := list(islice(apps, BATCH)):
                asked = list(pool.map(lambda one: looks.at(one, claims.get(one.number, ())), batch[:left]))
                left -= len(asked)
                for known, seen in zip(batch, asked + [looks.none_at() for _ in batch[len(asked):]], strict=True):
                    self._keep(known, seen, claims.get(known.number, ()))
                done += len(batch)
                if progress is not None:
                    progress(done)
        self.unseen += looks.unseen()

    def _claims(self) -> dict[int, tuple[str, ...]]:
        """What the configuration calls each app that it names; tells of those that are not there."""
        found: dict[int, tuple[str, ...]] = {}
        for name, app in self._connections.config.apps.items():
            if app.org != self.org:
                continue
            numbers = self._union.named(app.app, AppKind(app.kind))
            for number in numbers:
                found[number] = (*found.get(number, ()), name)
            if not numbers:
                self._absent(name, app)
        return found

    def _absent(self, name: str, app: AppConfig) -> None:
        """An app of the configuration that no listing names: only a clear no makes it vanished."""
        gone, note = False, "no listing that could be read names it"
        if AppKind(app.kind) is AppKind.EXTERNAL:
            try:
                self._client.app_id(app.app)
            except ConfigError as error:
                gone, note = True, error.message
            except RotatorError as error:
                note = f"it could not be looked for: {error.message}"
        elif not {Source.CLASSIC.value, Source.METADATA.value} & {one.what for one in self.unseen}:
            gone, note = True, f"no connected app is called {app.app}"
        known = Known(0, AppKind(app.kind), "", app.app, "", None, "", "", None, ())
        self._tell(Standing.VANISHED if gone else Standing.MANAGED, known, Seen(notes=(note,)), name)

    def _keep(self, known: Known, seen: Sequence[Seen], claims: Sequence[str]) -> None:
        """One entry for each consumer; one for the app where none could be seen."""
        for one in seen:
            name = one.managed_as or (claims[0] if claims and one.consumer is None else "")
            other = Standing.VENDOR if known.owner is Owner.VENDOR else Standing.UNMANAGED
            self._tell(Standing.DRIFTED if one.drift else Standing.MANAGED if name else other, known, one, name)

    def _tell(self, standing: Standing, known: Known, seen: Seen, name: str) -> None:
        self.counts[standing] += 1
        since = self._since.get(name) if standing is Standing.MANAGED else None
        age = int((self._now - since).total_seconds()) if since else None  # another may have put a drifted one there
        users = self._union.sharing(known.run_as) if known.run_as else ()
        others = [one for one in users if one != (known.name or known.label)]
        text = json.dumps(document(standing, known, seen, name, others, age))
        self._union.keep(standing, known.name or known.label, text)


@contextmanager
def discover(connections: Connections, org: str, progress: Progress = None) -> Iterator[Discovery]:
    """The apps of an org, for as long as one is inside. Raises UsageError for an unknown org, and what a login raises;
    where only a part can be seen, says which."""
    if org not in connections.config.orgs:
        raise UsageError(f"no org is called {org}{nearest(org, connections.config.orgs)}", code="unknown_org",
                         fix="see [orgs] in the configuration")  # fmt: skip
    with opened() as union:
        found = Discovery(connections, org, union)
        found.read()
        found.look(progress)
        yield found
