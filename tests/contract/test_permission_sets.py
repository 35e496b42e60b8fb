"""config/permission-sets: each is enough for its identity, nothing in it is too much, neither does the other's work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rotator.adapters.http import Http
from rotator.adapters.salesforce import ClientCredentials, SalesforceOrg
from rotator.adapters.tls import tls_context
from rotator.domain.errors import Refused
from rotator.domain.pair import Consumer
from rotator.domain.secret import Secret
from rotator.domain.session import Lever
from rotator.domain.sight import Kind
from tests.contract.salesforce_ports import Door, simulator

SETS = Path(__file__).parents[2] / "config" / "permission-sets"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
WORKLOAD = "billing@acme.example"


def permissions(name: str) -> frozenset[str]:
    """What a shipped set gives."""
    text = (SETS / f"{name}.permissionset-meta.xml").read_text(encoding="utf-8")
    given = re.findall(r"<userPermissions>\s*<enabled>true</enabled>\s*<name>(\w+)</name>\s*</userPermissions>", text)
    assert text.count("<userPermissions>") == len(given)
    return frozenset(given)


ADMIN, RESPONDER = permissions("Rotator_Admin"), permissions("Rotator_Responder")


@dataclass
class Bench:
    """An org in which a user has the given permissions and no others."""

    door: Door
    org: SalesforceOrg
    consumer: Consumer
    user_id: str


Give = Callable[[frozenset[str]], Bench]


@pytest.fixture
def give() -> Iterator[Give]:
    """Logs in as a user with these permissions, each time in a new org where billing's own login left a session."""
    with simulator(difficulty="plain") as world, Http(world.door.sim.org_url, tls=tls_context(), deadline=5) as http:  # type: ignore[union-attr]
        door = world.door
        assert door

        def made(some: frozenset[str]) -> Bench:
            told = door.post("/reset", seed=1, difficulty="plain", facts={}, shapes={}, apps=3)["orgs"]["acme"]
            admin = told["admin"]
            whole = SalesforceOrg(http, credentials=lambda: ClientCredentials(
                admin["client_id"], Secret(admin["client_secret"])), org_id=told["org_id"])
            consumer = whole.find("Billing_Sync", "")
            whole.login(whole.primary(consumer, with_secret=True))
            door.post("/orgs/acme/users", username="ours@acme.example", permissions=sorted({*some, "ApiUserOnly"}))
            app = door.post("/orgs/acme/apps", name="ours", developer_name="Ours", label="Ours",
                            username="ours@acme.example")
            login = ClientCredentials(app["client_id"], Secret(app["client_secret"]))
            org = SalesforceOrg(http, credentials=lambda: login, org_id=told["org_id"])
            return Bench(door, org, consumer, told["apps"]["billing"]["user_id"])

        yield made


def rotates(bench: Bench) -> None:
    """All that a rotation does with pairs."""
    assert bench.org.find("Billing_Sync", "") == bench.consumer
    staged = bench.org.stage(bench.consumer)
    assert staged.pair.secret
    bench.org.promote(bench.consumer, staged.id)
    (old,) = bench.org.slot(bench.consumer)
    bench.org.delete(bench.consumer, old.id)
    assert bench.org.primary(bench.consumer, with_secret=True) == staged.pair


def turns(bench: Bench) -> None:
    """The switch is read and turned, both ways."""
    assert bench.org.find("Billing_Sync", "") == bench.consumer
    for blocked in (True, False):
        bench.org.set_blocked(bench.consumer, blocked)
        assert bench.org.blocked(bench.consumer) is blocked


def ends(lever: Lever) -> Callable[[Bench], None]:
    """What the run-as user's login left is seen by this lever, and ended."""

    def scene(bench: Bench) -> None:
        listing = bench.org.grants(bench.consumer, bench.user_id, lever)
        assert listing.grants
        for grant in listing.grants:
            bench.org.end(bench.consumer, grant)
        assert not bench.org.grants(bench.consumer, bench.user_id, lever).grants

    return scene


def sees_changes(bench: Bench) -> None:
    """What was changed in Setup is seen, the newest first, and who did it."""
    bench.door.post("/shapes", pairs_in_setup_trail="yes")
    for act in ("stage", "block"):
        bench.door.post("/strangers", act=act, app="billing")
    found = bench.org.sight(bench.consumer, "", Kind.CHANGES, LONG_AGO)
    assert [(row["Action"], row["CreatedBy.Username"]) for row in found.rows][:2] == [
        ("changedPolicies", "admin@acme.example"), ("stagedCredentials", "admin@acme.example")]
    assert (found.complete, found.notes) == (True, ())


CASES: dict[tuple[str, str], tuple[Callable[[Bench], None], str]] = {
    ("admin", "ApiEnabled"): (rotates, "api_disabled"),
    ("admin", "ExternalClientAppDeveloper"): (rotates, "secret_access"),
    ("admin", "ViewClientSecret"): (rotates, "secret_access"),
    ("responder", "ApiEnabled"): (turns, "api_disabled"),
    ("responder", "ModifyMetadata"): (turns, "metadata_permission"),
    ("responder", "ExternalClientAppAdmin"): (turns, "secret_access"),
    ("responder", "CustomizeApplication"): (ends(Lever.OAUTHTOKEN), ""),
    ("responder", "ViewSetup"): (sees_changes, ""),
    ("responder", "ManageUsers"): (ends(Lever.AUTHSESSION), ""),
}


def test_every_permission_has_its_case() -> None:
    """A permission that is added to a set needs a reason that a test can see."""
    assert {("admin", name) for name in ADMIN} | {("responder", name) for name in RESPONDER} == set(CASES)


@pytest.mark.parametrize(("identity", "lacking"), CASES, ids=[" without ".join(case) for case in CASES])
def test_the_set_is_enough_and_without_this_permission_it_is_not(give: Give, identity: str, lacking: str) -> None:
    """The scene plays with the whole set; less this one, it is refused with the fix, or sees nothing to end."""
    scene, code = CASES[identity, lacking]
    whole = {"admin": ADMIN, "responder": RESPONDER}[identity]
    scene(give(whole))
    short = give(whole - {lacking})
    with pytest.raises(Refused if code else AssertionError) as caught:
        scene(short)
    if isinstance(caught.value, Refused):
        assert (caught.value.code, bool(caught.value.fix)) == (code, True)


@pytest.mark.parametrize("lever", Lever)
def test_the_responder_ends_what_logins_left_by_every_lever(give: Give, lever: Lever) -> None:
    """Its set is enough for each of the three."""
    bench = give(RESPONDER)
    assert bench.org.grants(bench.consumer, bench.user_id, lever).grants
    ends(lever)(bench)


def test_the_responder_never_sees_a_secret_and_changes_no_pair(give: Give) -> None:
    """Reading the secret, looking at the slot and staging are refused to it."""
    bench = give(RESPONDER)
    for act in (lambda: bench.org.primary(bench.consumer, with_secret=True), lambda: bench.org.slot(bench.consumer),
                lambda: bench.org.stage(bench.consumer)):  # fmt: skip
        with pytest.raises(Refused) as caught:
            act()
        assert caught.value.code == "secret_access"


def test_the_admin_neither_turns_a_switch_nor_sees_others_sessions(give: Give) -> None:
    """The other identity's work is refused to it, or hidden from it."""
    bench = give(ADMIN)
    with pytest.raises(Refused) as caught:
        bench.org.set_blocked(bench.consumer, True)
    assert caught.value.code == "metadata_permission"
    assert not bench.org.grants(bench.consumer, bench.user_id, Lever.AUTHSESSION).grants


@pytest.mark.parametrize("told", ["refused", "empty"])
def test_changes_that_may_not_be_seen_are_never_told_as_none(give: Give, told: str) -> None:
    """Whether the org says no, or shows an empty list: not complete, with the reason."""
    bench = give(RESPONDER - {"ViewSetup"})
    bench.door.post("/shapes", setup_trail_unseen=told)
    found = bench.org.sight(bench.consumer, "", Kind.CHANGES, LONG_AGO)
    assert (found.total, found.complete, len(found.notes)) == (0, False, 1)
    assert "SetupAuditTrail" in found.notes[0]


def test_no_change_is_told_as_none_where_older_ones_are_seen(give: Give) -> None:
    """From tomorrow on nothing was changed, and that is complete: entries from before are shown."""
    bench = give(RESPONDER)
    found = bench.org.sight(bench.consumer, "", Kind.CHANGES, datetime.now(UTC) + timedelta(days=1))
    assert (found.total, found.complete, found.notes) == (0, True, ())
