"""The OAuth switch is one for all consumers of an app, and for the persons and rotations that turn it."""

from __future__ import annotations

import pytest

from rotator.config import load
from rotator.process import Stop, SystemClock
from rotator.wiring.connections import Connections
from rotator.wiring.switches import LEASE
from tests.acceptance.scene import Scene
from tests.acceptance.test_respond import STATED, WHY, enabled, rows, swept


def test_a_force_of_an_app_that_a_person_has_blocked_says_so_at_once(scene: Scene) -> None:
    """Behind a block no pair can be verified: refused before anything is opened or changed, with both ways out; the
    person's block stays. With --block-first it goes on behind the block and ends unblocked, the old pair dead; so does
    one after an unblock, and one where somebody turned the app on in Setup."""
    scene.configure(facts=STATED)
    scene.json("block", "billing", *WHY)
    old = scene.truth()["primary"]["key"]
    no = scene.json("force", "billing", *WHY)
    (error,) = no.told["errors"]
    assert (no.code, error["code"]) == (1, "blocked_by_hand"), (no.out, no.err)
    assert "--block-first" in error["fix"]
    assert "rotator unblock billing" in error["fix"]
    assert (enabled(scene), scene.truth()["primary"]["key"], rows(scene, "stage")) == (False, old, [])
    done = scene.json("force", "billing", "--block-first", *WHY)
    assert (done.code, enabled(scene)) == (3, True), (done.out, done.err)
    assert (done.rotation["state"], done.rotation["reason"]) == ("unproven", "no_canary"), "no witness behind a block"
    assert done.rotation["claims"]["refused"] == "proven"
    scene.json("block", "orders", *WHY)
    scene.door("PATCH", "/orgs/acme/apps/orders", {"oauth_plugin_enabled": True})
    assert scene.json("force", "orders", *WHY).code == 0


TWO = """
[apps.{name}]
org = "acme"
app = "Multi_App"
consumer = "{consumer}"
vault_path = "salesforce/acme/{name}"
overlap = "0s"
"""


@pytest.fixture
def twins(scene: Scene) -> Scene:
    """One app with two consumers, `left` and `right`, each with a live path of its own."""
    app = scene.door("POST", "/orgs/acme/apps", {"name": "multi", "developer_name": "Multi_App", "label": "Multi App",
                                                 "consumers": 2, "seed_live": False})  # fmt: skip
    scene.configure(facts=STATED)
    ids = dict(zip(("left", "right"), app["consumer_ids"], strict=True))
    tables = (TWO.format(name=name, consumer=one) for name, one in ids.items())
    text = scene.config.read_text()
    scene.config.write_text(text.replace("[timing]", "".join(tables) + "[timing]"))
    return scene


def test_two_consumers_of_one_app_are_not_blocked_first_at_once(twins: Scene) -> None:
    """Left keeps the app blocked: a force of right is refused, blocking first or not, and so is its unblock; the sweep,
    for which the last word on right was a rotation's, leaves the block alone. Once left is done right has its turn."""
    assert twins.json("force", "right", "--block-first", *WHY).code == 0
    held = twins.json("force", "left", "--block-first", "--stay-blocked", *WHY)
    assert (held.code, held.rotation["reason"]) == (3, "stay_blocked"), (held.out, held.err)
    other = ("--reason", "both", "--ticket", "INC-8")
    for words in (("force", "right", "--block-first", *other), ("force", "right", *other), ("unblock", "right", *WHY)):
        no = twins.json(*words)
        assert (no.code, no.told["errors"][0]["code"]) == (1, "block_first_open"), (words, no.out)
        assert "left" in no.told["errors"][0]["message"]
    assert swept(twins)["right"][0] == "drift"
    assert not enabled(twins, "multi")
    assert twins.json("release", "left").code == 0
    assert twins.json("force", "right", "--block-first", *other).code == 0
    assert enabled(twins, "multi")


def test_of_two_that_begin_in_one_moment_one_has_the_switch(twins: Scene) -> None:
    """Another process is just opening a force that blocks this app: refused, nothing opened; a force that does not
    block needs no such turn."""
    twins.json("rotate", "right")  # the first contact; what it can prove beside a sibling is another matter
    connections = Connections(load(twins.config, {}), SystemClock(Stop()), host="test", version="0")
    try:
        (row,) = connections.ledger.rotations(open_only=False, app="right")
        place = (row.consumer.org_id, LEASE + row.consumer.app_id)
        lease = connections.ledger.claim(*place, "another process", 60)
        assert lease is not None
        no = twins.json("force", "right", "--block-first", *WHY)
        assert (no.code, no.told["errors"][0]["code"]) == (1, "block_first_open"), no.out
        assert twins.json("force", "right", *WHY).code == 0
        connections.ledger.yield_lease(lease)
    finally:
        connections.close()
    assert twins.json("force", "right", "--block-first", "--reason", "again", "--ticket", "INC-8").code == 0
