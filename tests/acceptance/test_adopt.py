"""`rotator adopt`: the live path takes the present primary pair as it is."""

from __future__ import annotations

import os
import pty
import subprocess

from rotator.domain.pair import fingerprint
from tests.acceptance.scene import Scene, environment

EMPTY = "salesforce/acme/empty"


def checked(scene: Scene, app: str, *rows: str) -> list[bool]:
    """What these rows of `check` say."""
    told = scene.json("check", app).told["checks"]
    return [one["ok"] for one in told if one["id"] in rows]


def test_an_app_is_taken_on_without_a_rotation(scene: Scene) -> None:
    """The path is empty: adopt writes the pair that Salesforce has, which logs in first; `check` is content, a second
    adoption writes nothing, and the next rotation begins from it."""
    scene.config.write_text(scene.config.read_text().replace("salesforce/acme/billing", EMPTY))
    done = scene.json("adopt", "billing", "--yes", "--reason", "onboarding").told
    assert (done["written"], done["old_key_fp"], done["vault_path"]) == (True, None, EMPTY)
    assert done["new_key_fp"] == fingerprint(scene.truth()["primary"]["key"])
    assert checked(scene, "billing", "APP-3", "APP-6") == [True, True]
    again = scene.json("adopt", "billing").told
    assert (again["written"], again["new_key_fp"]) == (False, done["new_key_fp"])
    rows = [(row["phase"], row["outcome"], row["reason"]) for row in scene.events() if row["step"] == "adopt"]
    assert rows == [("intent", None, "onboarding"), ("outcome", "ok", "onboarding"), ("observe", "ok", None)]
    assert scene.json("rotate", "billing").rotation["old_key_fp"] == done["new_key_fp"]


def test_a_drift_is_settled_by_it(scene: Scene) -> None:
    """Somebody rotated between our rotations: the next one holds and names adopt, which says how to go on; after the
    release it runs to its end."""
    assert scene.run("rotate", "orders").code == 0
    scene.stranger("replace_primary", "orders")
    held = scene.json("rotate", "orders").rotation
    assert (held["reason"], "`rotator adopt orders`" in held["fix"]) == ("drift", True)
    done = scene.json("adopt", "orders", "--yes").told
    assert "`rotator release orders`" in done["next"]
    assert scene.run("release", "orders").code == 0
    assert scene.json("status", "orders").told["apps"][0]["rotation"] is None


def test_a_drift_without_a_rotation_is_settled_by_it(scene: Scene) -> None:
    """Somebody rotated an app that we never did: told with its fix, taken, and told to be fine."""
    scene.stranger("replace_primary", "orders")
    assert checked(scene, "orders", "APP-3") == [False]
    assert scene.json("adopt", "orders", "--yes").told["written"]
    assert checked(scene, "orders", "APP-3") == [True]


def test_nobody_is_overwritten_unasked(scene: Scene) -> None:
    """Without a terminal and --yes: exit 2, and nothing was written; on a terminal it shows both fingerprints and asks,
    and no is no."""
    scene.stranger("write_live", "orders")
    quiet = scene.run("adopt", "orders")
    assert (quiet.code, "--yes" in quiet.err, "would replace" in quiet.out) == (2, True, True)
    main, side = pty.openpty()
    process = subprocess.Popen(scene.command("adopt", "orders"), stdin=side, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=environment())  # fmt: skip
    os.close(side)
    os.write(main, b"n\n")
    told, _ = process.communicate(timeout=20)
    os.close(main)
    assert (process.returncode, b"Write it?" in told) == (2, True)
    assert "adopt" not in [row["step"] for row in scene.events("orders")]


def test_a_pair_that_a_rotation_needs_is_left_to_it(scene: Scene) -> None:
    """In the overlap the live path is the rotation's: exit 1, with how to end it; a blocked app's pair is not taken."""
    assert scene.run("rotate", "billing").code == 0
    refused = scene.json("adopt", "billing", "--yes")
    assert (refused.code, refused.told["errors"][0]["code"]) == (1, "rotation_open")
    scene.door("PATCH", "/orgs/acme/apps/orders", {"oauth_plugin_enabled": False})
    refused = scene.json("adopt", "orders", "--yes")
    assert (refused.code, refused.told["errors"][0]["code"]) == (1, "primary_refused")
    steps = [(row["step"], row["outcome"]) for row in scene.events("orders")]
    assert ("refused_command", "refused") in steps
    assert not [step for step, _ in steps if step == "adopt"]
