"""The watch of invariant 1 sees every break, blames whoever did it, and is silent while all is well."""

from __future__ import annotations

import pytest

from rotator.simulator.strangers import ACTS
from tests.simulator.sim import Sim


def test_a_rotation_done_right_breaks_nothing(sim: Sim) -> None:
    """Stage, publish, promote, wait, delete: no violation, and each request was checked."""
    new = sim.stage()
    sim.publish(new, cas=1)
    sim.rotate()
    sim.delete()
    seen = sim.invariants()
    assert (seen["ok"], seen["violations"], seen["foreign"]) == (True, [], [])
    assert seen["checks"] >= 4


def test_promoting_and_deleting_before_publishing_is_seen(sim: Sim) -> None:
    """The live path serves the deleted pair: recorded once, with the request that did it."""
    sim.stage()
    sim.rotate()
    sim.delete()
    sim.vault.get(f"/v1/secret/data/{sim.billing['vault_path']}")
    (seen,) = sim.invariants()["violations"]
    number = sim.admin("GET", "/history?purpose=delete slot")[-1]["n"]
    assert (seen["app"], seen["what"], seen["cause"], seen["n"]) == ("billing", "live", "delete", number)
    assert not sim.invariants()["ok"]


@pytest.mark.parametrize("how", ["delete", "publish"])
def test_a_break_among_very_many_apps_is_seen(sim: Sim, how: str) -> None:
    """With more paths than are looked at each time, what a request touched is looked at all the same."""
    sim.reset(apps=40)
    sim.facts(staged_pair_accepted="yes" if how == "delete" else "no")
    new = sim.stage()
    if how == "delete":
        sim.rotate()
        sim.delete()
    else:
        sim.publish(new)
    assert [v["app"] for v in sim.invariants()["violations"]] == ["billing"]


def test_publishing_a_pair_that_is_not_accepted_is_seen(sim: Sim) -> None:
    """In an org that does not accept staged pairs, publish before promote is an outage."""
    sim.facts(staged_pair_accepted="no")
    sim.publish(sim.stage())
    assert [v["cause"] for v in sim.invariants()["violations"]] == ["kv.write"]


def test_killing_the_old_pair_within_its_overlap_is_seen(sim: Sim) -> None:
    """Readers that still hold the old pair were promised an hour; lifting the promise ends it."""
    sim.admin("POST", "/watch", {"app": "billing", "overlap_s": 3600})
    sim.vault.get("/v1/sys/health")
    sim.publish(sim.stage())
    sim.rotate()
    sim.delete()
    assert [v["what"] for v in sim.invariants()["violations"]] == ["promised"]


@pytest.mark.parametrize("how", ["lifted", "waited"])
def test_killing_the_old_pair_after_its_overlap_is_fine(sim: Sim, how: str) -> None:
    """A promise ends when it is lifted, or with its time."""
    sim.admin("POST", "/watch", {"app": "billing", "overlap_s": 3600})
    sim.vault.get("/v1/sys/health")
    sim.publish(sim.stage())
    sim.rotate()
    if how == "lifted":
        sim.admin("POST", "/watch/lift", {"app": "billing"})
    else:
        sim.advance(3601)
    sim.delete()
    assert sim.invariants()["ok"]


def test_an_external_vault_is_watched_by_pushes(sim: Sim) -> None:
    """The admin door is told what a real Vault serves; the check is the same."""
    sim.admin("POST", "/watch", {"app": "billing", "external": True})
    sim.admin("POST", "/watch/live", {"app": "billing", "key": sim.old[0]})
    assert sim.invariants()["ok"]
    sim.stage()
    sim.rotate()
    sim.delete()
    assert [v["cause"] for v in sim.invariants()["violations"]] == ["delete"]


def test_blocking_an_app_is_no_violation_on_record(sim: Sim) -> None:
    """The record of pairs decides, not the switch; a violation while blocked says so."""
    sim.act("block")
    assert sim.invariants()["ok"]
    sim.act("replace_primary")
    assert sim.invariants()["foreign"][0]["blocked"]


def test_a_strangers_act_is_not_ours(sim: Sim) -> None:
    """A foreign act that breaks the invariant stands under foreign; a later request of ours is not blamed for it."""
    assert sim.act("replace_primary")
    sim.publish(sim.old)
    seen = sim.invariants()
    assert seen["ok"]
    assert [v["cause"] for v in seen["foreign"]] == ["stranger:replace_primary"]


NEEDS_ACTIVE = ("swap", "swap_as_us", "delete", "promote", "second_entry", "expire")
NEEDS_ROTATED = ("delete_rotated", "promote_rotated")


@pytest.mark.parametrize("act", sorted(ACTS))
def test_every_foreign_act_changes_the_world(sim: Sim, act: str) -> None:
    """Each act, in a world where it applies, changes the truth, the Vault or the app; only then does it say `done`."""
    sim.publish(sim.old)
    new = sim.stage() if act in NEEDS_ACTIVE + NEEDS_ROTATED or act == "roll_back_live" else None
    if act in NEEDS_ROTATED:
        sim.rotate()
    if new and act == "roll_back_live":
        sim.publish(new)
    before = sim.door.get("/truth").text + sim.vault.get(f"/v1/secret/data/{sim.billing['vault_path']}").text[60:]
    if act == "unblock":
        sim.act("block")
    assert sim.act(act)
    after = sim.door.get("/truth").text + sim.vault.get(f"/v1/secret/data/{sim.billing['vault_path']}").text[60:]
    assert (before != after) or act == "unblock"


@pytest.mark.parametrize("act", NEEDS_ACTIVE + NEEDS_ROTATED)
def test_a_foreign_act_that_does_not_apply_changes_nothing(sim: Sim, act: str) -> None:
    """Without anything in the slot these acts have nothing to act on (a second entry then is the first)."""
    before = sim.door.get("/truth").text
    assert sim.act(act) == (act == "second_entry")
    assert (sim.door.get("/truth").text == before) == (act != "second_entry")


def test_an_expired_pair_is_dead_and_stays_in_the_slot(sim: Sim) -> None:
    """Thirty days after staging the entry is Expired, refused, and still takes the slot."""
    new = sim.stage()
    sim.advance(30 * 86400 + 1)
    rights = sim.token((sim.acme["admin"]["client_id"], sim.acme["admin"]["client_secret"]))
    sim.org.headers["authorization"] = f"Bearer {rights}"
    assert not sim.logs_in(new)
    assert [entry["state"] for entry in sim.slot()] == ["Expired"]
    assert sim.org.post(f"{sim.credentials}/staged", json={}).status_code == 409
    assert sim.rotate().status_code == 400
