"""The rows of the checks that the sweep looks at again between rotations: what somebody changed in the org.

A row that fails is told. One that only warns, or cannot be seen, is `quiet`: as it was at the first look it may stay,
for `check` tells of it; a change is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rotator.checks import app, policy, run_as
from rotator.checks.finding import Finding
from rotator.checks.scene import AppScene, Org
from rotator.domain.errors import Refused, RotatorError, Unavailable
from rotator.domain.sighting import MOVED, Sight, Sighting

Row = tuple[str, Callable[[AppScene], Finding]]
OF_ORG: tuple[Row, ...] = (("ORG-5", app.org_5),)  # the same for all apps: seen through any of them
OF_APP: tuple[Row, ...] = (
    ("APP-5", app.app_5), ("APP-8", policy.relaxation), ("APP-13", policy.app_13), ("RUN-1", run_as.run_1),
    ("RUN-2", run_as.run_2), ("RUN-3", run_as.run_3), ("RUN-4", run_as.run_4),
)  # fmt: skip


def moved(org: Org, name: str) -> Sighting:
    """ORG-2: whether this is the org that was met before. `what` is the id of that one. Raises Unavailable."""
    fix = f"a refreshed sandbox? its new id in `org_id` of [orgs.{name}] lifts the hold; then `rotator adopt` each app"
    try:
        rows = org.query("SELECT Id FROM Organization")
    except Refused as error:
        if error.code != "org_mismatch":
            return _blind(MOVED, error)
        return Sighting(MOVED, Sight.DRIFT, org.org_id, f"{error.message}: the whole org is held", fix)
    now = str(rows[0].get("Id") or "") if rows else ""
    if not now or now[:15] == org.org_id[:15]:
        return Sighting(MOVED)
    words = f"the org is {now} now, and was {org.org_id} before: the whole org is held"
    return Sighting(MOVED, Sight.DRIFT, org.org_id, words, fix)


def looked(rows: tuple[Row, ...], scene: AppScene) -> Iterator[Sighting]:
    """What each row came to; nothing of one for which the org gave no answer: it is asked again."""
    for name, look in rows:
        try:
            yield _sighting(name, look(scene))
        except Unavailable:
            continue
        except RotatorError as error:
            yield _blind(name, error)


def _sighting(name: str, found: Finding) -> Sighting:
    if found.ok:
        return Sighting(name)
    if found.ok is None:
        return Sighting(name, Sight.BLIND, "unseen", found.found, found.fix, quiet=True)
    return Sighting(name, Sight.DRIFT, found.found, found.found, found.fix, quiet=found.warn)


def _blind(name: str, error: RotatorError) -> Sighting:
    return Sighting(name, Sight.BLIND, error.code, f"could not look: {error.message}", error.fix, quiet=True)
