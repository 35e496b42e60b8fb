"""`rotator audit prune` and `audit hold`, as an operator runs them."""

from __future__ import annotations

import subprocess

from tests.acceptance.people import OTHER, as_other
from tests.acceptance.scene import Scene
from tests.audit.test_retention import Old

WORDS = ("--reason", "kept long enough", "--ticket", "CHG-9")


def key(scene: Scene, name: str) -> None:
    """An Ed25519 key, and its public half beside it."""
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", scene.folder / name], check=True)
    (scene.folder / name).chmod(0o600)
    subprocess.run(["openssl", "pkey", "-in", scene.folder / name, "-pubout", "-out", scene.folder / f"{name}.pub"],
                   check=True)  # fmt: skip


def old(scene: Scene, *more: str) -> None:
    """A trail with four old rows, and a signing key in the configuration."""
    assert scene.run("db", "upgrade").code == 0
    Old(f"sqlite:///{scene.database}").database.close()
    key(scene, "audit.pem")
    lines = ["[audit]", 'signing_key_file = "audit.pem"', f'anchors = ["file:{scene.folder}/anchors"]', *more]
    scene.config.write_text(scene.config.read_text() + "\n".join(lines) + "\n")


def test_a_prune_leaves_a_signed_tombstone_and_a_trail_that_verifies(scene: Scene) -> None:
    """A dry run tells and changes nothing; reason and ticket are wanted; then four rows are gone, the trail verifies
    with our key, and with another one the tombstone is refused."""
    old(scene)
    assert scene.json("audit", "prune", "--dry-run").told["rows"] == 4
    assert scene.run("audit", "prune").code == 2
    done = scene.json("audit", "prune", *WORDS)
    assert done.code == 0, done.err
    assert (done.told["rows"], done.told["to"], done.told["signed"]) == (4, 4, True)
    seen = scene.json("audit", "verify").told
    assert (seen["ok"], seen["pruned_to"]) == (True, 4)
    assert seen["anchored_to_seq"] > done.told["tombstone_seq"]
    assert "rows up to 4 were pruned" in scene.run("audit", "verify").out
    assert scene.json("audit", "prune", *WORDS).told["rows"] == 0
    key(scene, "other.pem")
    (scene.folder / "none.jsonl").write_text("")
    forged = ("--anchors", str(scene.folder / "none.jsonl"), "--public-key", str(scene.folder / "other.pem.pub"))
    told = scene.json("audit", "verify", *forged)
    assert told.code == 1
    assert "the tombstone of the rows up to 4 is not signed by key" in told.told["reason"]


def test_a_legal_hold_and_a_second_person_stop_a_prune(scene: Scene) -> None:
    """Held rows stay until the release; where a second person is wanted nothing goes without him."""
    old(scene)
    held = scene.json("audit", "hold", "--all", "--reason", "litigation", "--ticket", "LEGAL-1")
    assert held.told["holds"][0]["ticket"] == "LEGAL-1"
    assert scene.run("audit", "hold", "--all").code == 2
    stopped = scene.json("audit", "prune", *WORDS).told
    assert (stopped["rows"], "LEGAL-1" in stopped["kept_by"]) == (0, True)
    assert "litigation" in scene.run("audit", "hold").out
    ended = scene.json("audit", "hold", "--all", "--release", "--reason", "settled", "--ticket", "LEGAL-1")
    assert ended.told["holds"] == []
    scene.config.write_text(scene.config.read_text() + "[approval]\nsecond_person = true\n")
    waits = scene.json("audit", "prune", *WORDS)
    assert (waits.code, waits.told["errors"][0]["code"]) == (3, "approval")
    (request,) = scene.json("approve").told["requests"]
    own = scene.json("approve", request["request_id"])
    assert own.told["errors"][0]["code"] == "approval_own"
    assert scene.json("audit", "prune", "--dry-run").told["rows"] == 4
    told = [row for row in scene.json("history").told["events"] if row["step"] == "approve"]
    assert [row["outcome"] for row in told] == ["held", "refused"]


def test_a_prune_that_another_person_approved_is_done(scene: Scene) -> None:
    """Not before; and by whoever asked, once: the rows are gone, and the trail says who approved."""
    old(scene, "[approval]", "second_person = true")
    assert scene.json("audit", "prune", *WORDS).code == 3
    (request,) = scene.json("approve").told["requests"]
    assert as_other(scene, "approve", request["request_id"]).code == 0
    done = scene.json("audit", "prune", *WORDS)
    assert (done.code, done.told["rows"]) == (0, 4), done.err
    pruned = [row for row in scene.json("history").told["events"] if row["step"] == "prune"]
    assert {row["approver"] for row in pruned} == {OTHER}
    assert scene.json("audit", "verify").told["ok"]


def test_a_retention_below_the_floor_is_a_mistake(scene: Scene) -> None:
    """The triggers would keep the rows anyway."""
    scene.config.write_text(scene.config.read_text() + '[audit]\nretention = "30d"\n')
    done = scene.run("config", "check")
    assert done.code == 2
    assert "must be 90d at least" in done.err + done.out
