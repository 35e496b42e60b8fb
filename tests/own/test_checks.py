"""`check` looks at the rotator's own pairs: whether the other identity can rotate them, and Vault lets it."""

from __future__ import annotations

import pytest

from tests.checks.looking import levels, looked
from tests.own.place import RIGHTS, TwoIdentities, vault_write


def test_nothing_fails_where_both_identities_are_ready(place: TwoIdentities) -> None:
    """Each own pair has its rows beside those of the apps, in one look at everything."""
    told = levels(looked(place, "acme/admin"))
    assert {told[id_] for id_ in ("ADM-6", "APP-3", "APP-4", "APP-6")} == {"pass"}
    assert {one["app"] for one in place.json("check").told["checks"]} >= {"acme/admin", "acme/spare", "billing"}


@pytest.mark.parametrize("right", ["ViewClientSecret", "ExternalClientAppDeveloper"])
def test_a_spare_without_the_permissions_fails(place: TwoIdentities, right: str) -> None:
    """ADM-6 names the identity and the permission; the pair of the spare itself can be rotated all the same."""
    rights = [one for one in RIGHTS if one != right]
    place.door("PATCH", "/orgs/acme/users/spare@acme.example", {"permissions": rights})
    found = looked(place, "acme/admin")["ADM-6"].finding
    assert (found.ok, found.found) == (False, f"the user of `spare` lacks {right}")
    assert "Rotator_Admin" in found.fix
    assert looked(place, "acme/spare")["ADM-6"].finding.ok is True


def test_a_spare_that_cannot_end_sessions_fails_where_there_is_no_responder(place: TwoIdentities) -> None:
    """Without a responder it is the spare that ends what the old pair's logins left behind."""
    rights = [one for one in RIGHTS if one != "ManageUsers"]
    place.door("PATCH", "/orgs/acme/users/spare@acme.example", {"permissions": rights})
    found = looked(place, "acme/admin")["ADM-6"].finding
    assert (found.ok, "ManageUsers" in found.found, "Rotator_Responder" in found.fix) == (False, True, True)


def test_a_spare_that_is_the_same_consumer_fails(place: TwoIdentities) -> None:
    """Two paths with one pair are one identity: refused by `check`, and by `rotate` before any change."""
    with place.process() as connections:
        fields = connections.vault.read_fields("salesforce/acme/rotator")
    content = {name: fields[name].reveal() for name in ("client_id", "client_secret")}
    vault_write(place, "salesforce/acme/spare", content)
    found = looked(place, "acme/admin")["ADM-6"].finding
    assert found.ok is False
    assert "very pair" in found.found
    refused = place.json("rotate", "acme/admin")
    assert (refused.code, refused.told["errors"][0]["code"]) == (1, "own_consumer")
