"""Anchors of the audit trail, as an operator and an auditor have them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from tests.acceptance.conftest import public
from tests.acceptance.scene import Scene
from tests.unit.sql.support import raw, unprotected


def file_of(scene: Scene) -> Path:
    (file,) = (scene.folder / "anchors").glob("*.jsonl")
    return file


def url(scene: Scene) -> str:
    return f"sqlite:///{scene.database}"


def cut(scene: Scene, keep: int) -> None:
    """Takes rows off the end, and makes the head agree, as somebody with the owner's rights would."""
    head = f"UPDATE audit_head SET seq = {keep}, hash = (SELECT hash FROM audit_events WHERE seq = {keep})"  # noqa: S608
    unprotected(url(scene), f"DELETE FROM audit_events WHERE seq > {keep}", head)  # noqa: S608 - a number
    raw(url(scene), "PRAGMA wal_checkpoint(TRUNCATE)")
    assert scene.run("db", "upgrade").code == 0  # puts the triggers back: nothing is seen at the start


def test_an_anchor_now_is_signed_and_confirms_the_trail(signed: Scene) -> None:
    """`audit anchor` tells where it was kept; `audit verify` goes up to its row, with the configured key or, on a copy
    of the anchors, with the public key alone."""
    made = signed.json("audit", "anchor")
    assert made.code == 0, made.err
    seq = made.told["anchor"]["seq"]
    assert made.told["kept"] == {f"file:{signed.folder}/anchors": ""}
    assert made.told["public_key"] == public(signed).read_text()
    assert signed.json("audit", "verify").told["anchored_to_seq"] == seq
    copy = shutil.copy(file_of(signed), signed.folder / "copy.jsonl")
    shutil.rmtree(signed.folder / "anchors")
    found = signed.json("audit", "verify", "--anchors", str(copy), "--public-key", str(public(signed)))
    assert (found.code, found.told["anchored_to_seq"]) == (0, seq)
    steps = [(row["step"], row["phase"]) for row in signed.events("") if row["step"] == "anchor"]
    assert steps == []  # they belong to no app
    rows = signed.json("history").told["events"]
    assert [(r["phase"], r["outcome"]) for r in rows if r["step"] == "anchor"] == [("intent", None), ("outcome", "ok")]


def test_a_cut_tail_is_found_by_the_anchor(signed: Scene) -> None:
    """Rows at the end are gone and the head agrees: the chain alone is whole, the anchor tells."""
    assert signed.json("rotate", "orders").code == 0
    seq = signed.json("audit", "anchor").told["anchor"]["seq"]
    cut(signed, seq - 4)
    found = signed.json("audit", "verify")
    assert (found.code, found.told["first_bad_seq"], found.told["ok"]) == (1, seq - 3, False)
    shutil.move(signed.folder / "anchors", signed.folder / "aside")
    assert signed.json("audit", "verify").code == 0, "without the anchor nothing would be seen"


def test_a_forged_anchor_is_found(signed: Scene) -> None:
    """A line that our key did not sign, and one that is no anchor: exit 1, and which."""
    assert signed.run("audit", "anchor").code == 0
    line = json.loads(file_of(signed).read_text())
    for forged in (json.dumps({**line, "host": "other"}), json.dumps({**line, "seq": 99}), "nothing"):
        file = signed.folder / "forged.jsonl"
        file.write_text(forged + "\n")
        found = signed.json("audit", "verify", "--anchors", str(file))
        assert (found.code, found.told["ok"]) == (1, False)
        assert "forged.jsonl" in found.told["reason"]


def test_a_database_older_than_its_last_anchor_holds_what_is_open(signed: Scene) -> None:
    """A backup is put back after the rotation went on: held, exit 3, with what to look at; `release` goes on, once and
    for all."""
    signed.config.write_text(signed.config.read_text().replace('overlap = "0s"', 'overlap = "0s"\nenabled = false'))
    assert signed.json("rotate", "billing").rotation["state"] == "overlap"
    raw(url(signed), f"VACUUM INTO '{signed.folder}/backup.db'")
    assert signed.json("pause", "billing").code == 0
    assert signed.json("audit", "anchor").code == 0
    for name in ("rotator.db", "rotator.db-wal", "rotator.db-shm"):
        (signed.folder / name).unlink(missing_ok=True)
    shutil.move(signed.folder / "backup.db", signed.database)
    held = signed.json("run", "--once")
    assert (held.code, held.rotation["state"], held.rotation["reason"]) == (3, "held", "database_older"), held.err
    assert "older than its last anchor" in held.err
    assert "release billing" in held.rotation["fix"]
    assert signed.json("audit", "verify").code == 1
    assert signed.json("release", "billing").rotation["state"] == "overlap"
    assert signed.json("run", "--once").rotation["state"] == "overlap"
    told = [r["outcome"] for r in signed.json("history").told["events"] if r["step"] == "anchor" and r["outcome"]]
    assert told.count("held") == 1


def test_a_force_is_anchored_when_it_opens_and_when_it_ends(signed: Scene) -> None:
    """Nothing that a force did can be cut off without a trace: its last row before the end is anchored too."""
    assert signed.json("force", "orders", "--reason", "leak", "--ticket", "INC-1", "--yes").code in (0, 3)
    anchors = [json.loads(line) for line in file_of(signed).read_text().splitlines()]
    assert [anchor["why"] for anchor in anchors] == ["force", "force"]
    rows = signed.events("orders")
    last = max(row["seq"] for row in rows)
    assert anchors[-1]["seq"] > last > anchors[0]["seq"]
    assert signed.json("audit", "verify").told["anchored_to_seq"] == anchors[-1]["seq"]
    told = {row["step"]: row for row in rows if row["phase"] == "outcome"}
    for step in ("stage", "escrow", "publish", "promote", "retire"):
        assert told[step]["duration_ms"] >= 0, step
        assert told[step]["evidence"]["uid"] == os.getuid(), step
    both = [row["evidence"]["request_ids"] for row in rows if "request_ids" in row["evidence"]]
    assert both, "a step that asks org and Vault has the ids of both"
    assert all(ids["salesforce"] and ids["vault"] for ids in both)
