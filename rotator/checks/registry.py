"""All checks, in the order in which they are told, and how an error becomes a finding. docs/checks.md is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Generic, TypeVar

from rotator.checks import app, here, identity, org, policy, run_as, vault
from rotator.checks.finding import Finding, unseen
from rotator.checks.scene import AppScene, ClassicScene, HereScene, OrgScene, OwnScene, VaultScene
from rotator.domain.errors import RotatorError

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Row(Generic[S]):
    """One check: what it looks at is its function's docstring. `fails`, `warns`: when, in words; "": never. `first`:
    every rotation looks at this itself before its first change."""

    id: str
    run: Callable[[S], Finding]
    fails: str = ""
    warns: str = ""
    first: bool = False

    @property
    def looks_at(self) -> str:
        """The first sentence of the function."""
        return " ".join((self.run.__doc__ or "").split())


HERE: tuple[Row[HereScene], ...] = (
    Row("DB-1", here.db_1, "older, newer or unprotected", first=True),
    Row("AUD-1", here.aud_1, "the chain is broken", "no anchor for 2 h"),
    Row("HST-1", here.hst_1, "a secret in the environment, or in a file that others can read"),
)
VAULT: tuple[Row[VaultScene], ...] = (Row("VLT-3", vault.vlt_3, "shorter than one rotation", first=True),)
ORG: tuple[Row[OrgScene], ...] = (
    Row("ORG-1", org.org_1, "not My Domain, or the API version is not offered"),
    Row("ORG-2", org.org_2, "another org than the pinned one", "edition without staged credentials", first=True),
    Row("ORG-3", org.org_3, "the login is refused", "less than 10 % of the daily quota left", first=True),
    Row("ORG-4", org.org_4, "more than 60 s apart", "more than 5 s apart"),
    Row("ORG-6", org.org_6, "the rotator's own app is not approved, or blocked"),
    Row("ORG-7", org.org_7, warns="it does, and the rotator may have several egress addresses"),
    Row("ORG-8", org.org_8, warns="they differ, were seen more than 120 days ago, or on another release of Salesforce"),
    Row("ADM-1", identity.adm_1, "one is missing", "more than needed"),
    Row("ADM-2", identity.adm_2, "it cannot end sessions that are to be ended", "it cannot block"),
    Row("ADM-3", identity.adm_3, "outside the login IP ranges", "not API Only"),
    Row("ADM-5", identity.adm_5, warns="older than max_age"),
)
APP: tuple[Row[AppScene], ...] = (
    Row("ORG-5", app.org_5, "the org does not give secrets over REST", first=True),
    Row("APP-1", app.app_1, "not exactly one", first=True),
    Row("APP-2", app.app_2, "several and none named", first=True),
    Row("APP-3", app.app_3, "they differ", "Vault holds nothing yet", first=True),
    Row("APP-4", app.app_4, "a foreign staged pair", "a pair left over", first=True),
    Row("APP-5", app.app_5, "off in either"),
    Row("APP-6", policy.app_6, "either is refused"),
    Row("APP-7", policy.app_7, "the call is refused"),
    Row("APP-8", policy.app_8, "refused", "restrictions are bypassed"),
    Row("APP-9", policy.app_9, warns="a session of more than 2 h, or a self-contained token of more than 30 min"),
    Row("APP-10", policy.app_10, warns="they do"),
    Row("APP-11", policy.app_11, "block or raise level"),
    Row("APP-12", policy.app_12, warns="the login is refused for it"),
    Row("APP-13", policy.app_13, "an installed copy", "packaged"),
    Row("APP-14", policy.app_14, "more than 29 d, or not shorter than the interval", first=True),
    Row("ADM-4", identity.adm_4, "the same consumer"),
    Row("RUN-1", run_as.run_1, "inactive or frozen"),
    Row("RUN-2", run_as.run_2, warns="it is not"),
    Row("RUN-3", run_as.run_3, warns="shared by apps"),
    Row("RUN-4", run_as.run_4, warns="those of an administrator"),
    Row("RUN-5", run_as.run_5, warns="more than 1,800"),
    Row("VLT-1", vault.vlt_1, "KV v1, delete_version_after, fewer than 3 versions", "cas_required off", first=True),
    Row("VLT-2", vault.vlt_2, "one is missing", "more than needed"),
)
CLASSIC: tuple[Row[ClassicScene], ...] = (
    Row("CLS-1", run_as.cls_1, "nobody does"),
    Row("CLS-2", run_as.cls_2, "the org has no such app", "no API does"),
)
OWN: tuple[Row[OwnScene], ...] = (Row("ADM-6", identity.adm_6, "it is the same consumer, or lacks a permission"),)
OF_APPS = ("APP-3", "APP-4", "APP-6", "VLT-1", "VLT-2")  # what is asked of the rotator's own pairs too

EVERY: tuple[Row[Any], ...] = (*HERE, *VAULT, *ORG, *APP, *OWN, *CLASSIC)


def own() -> Iterator[Row[OwnScene]]:
    """The checks of one of the rotator's own pairs."""
    shared: Iterator[Row[OwnScene]] = (Row(row.id, row.run) for row in APP if row.id in OF_APPS)
    yield from chain(OWN, shared)


def look(rows: Iterable[Row[S]], scene: S) -> Iterator[tuple[str, Finding]]:
    """Runs each check. What cannot be read is unknown, never a pass."""
    for row in rows:
        try:
            yield row.id, row.run(scene)
        except RotatorError as error:
            yield row.id, unseen(error.message, error.fix)
